//! `cargo test -p exercises --test ex13_online`

exercises::graded!();
