//! `cargo test -p exercises --test ex05_close_codes`

exercises::graded!();
