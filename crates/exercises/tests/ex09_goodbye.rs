//! `cargo test -p exercises --test ex09_goodbye`

exercises::graded!();
