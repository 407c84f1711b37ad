//! `cargo test -p exercises --test ex12_isolation`

exercises::graded!();
