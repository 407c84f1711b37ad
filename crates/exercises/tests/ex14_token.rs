//! `cargo test -p exercises --test ex14_token`

exercises::graded!();
