//! `cargo test -p exercises --test ex09_first_event`

exercises::graded!();
