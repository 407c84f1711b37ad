//! `cargo test -p exercises --test ex03_both`

exercises::graded!();
