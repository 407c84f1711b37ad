//! `cargo test -p exercises --test ex08_packet`

exercises::graded!();
