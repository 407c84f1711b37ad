//! `cargo test -p exercises --test ex07_nicknames`

exercises::graded!();
