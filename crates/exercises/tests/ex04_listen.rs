//! `cargo test -p exercises --test ex04_listen`

exercises::graded!();
