//! `cargo test -p exercises --test ex11_three_values`

exercises::graded!();
