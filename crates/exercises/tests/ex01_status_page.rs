//! `cargo test -p exercises --test ex01_status_page`

exercises::graded!();
