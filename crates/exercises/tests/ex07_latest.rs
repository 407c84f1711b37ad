//! `cargo test -p exercises --test ex07_latest`

exercises::graded!();
