//! `cargo test -p exercises --test ex03_wrap`

exercises::graded!();
