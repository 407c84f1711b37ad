//! `cargo test -p exercises --test ex05_accept_key`

exercises::graded!();
