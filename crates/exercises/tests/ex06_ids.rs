//! `cargo test -p exercises --test ex06_ids`

exercises::graded!();
