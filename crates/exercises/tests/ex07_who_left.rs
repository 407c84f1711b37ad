//! `cargo test -p exercises --test ex07_who_left`

exercises::graded!();
