//! `cargo test -p exercises --test ex01_routes`

exercises::graded!();
