//! `cargo test -p exercises --test ex10_binary`

exercises::graded!();
