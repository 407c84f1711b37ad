//! `cargo test -p exercises --test ex12_typing`

exercises::graded!();
