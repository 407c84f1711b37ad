//! `cargo test -p exercises --test ex02_add`

exercises::graded!();
