//! `cargo test -p exercises --test ex02_body_limit`

exercises::graded!();
