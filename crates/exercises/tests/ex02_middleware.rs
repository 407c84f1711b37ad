//! `cargo test -p exercises --test ex02_middleware`

exercises::graded!();
