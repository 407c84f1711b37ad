//! `cargo test -p exercises --test ex12_rooms_map`

exercises::graded!();
