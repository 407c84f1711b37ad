//! `cargo test -p exercises --test ex06_calculator`

exercises::graded!();
