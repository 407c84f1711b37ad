//! `cargo test -p exercises --test ex08_ack`

exercises::graded!();
