//! `cargo test -p exercises --test ex07_slow_reader`

exercises::graded!();
