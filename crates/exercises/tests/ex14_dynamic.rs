//! `cargo test -p exercises --test ex14_dynamic`

exercises::graded!();
