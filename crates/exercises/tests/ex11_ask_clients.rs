//! `cargo test -p exercises --test ex11_ask_clients`

exercises::graded!();
