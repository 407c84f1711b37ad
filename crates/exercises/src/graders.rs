//! The checks of each exercise.

use crate::Exercise;

mod client;
mod overlap;

macro_rules! exercises {
    ($($name:ident,)*) => {
        $(mod $name;)*

        pub(crate) const ALL: &[Exercise] = &[
            $(Exercise {
                name: stringify!($name),
                checks: $name::checks,
            },)*
        ];
    };
}

exercises! {
    ex01_status_page,
    ex01_routes,
    ex02_add,
    ex02_body_limit,
    ex02_middleware,
    ex03_wrap,
    ex03_both,
    ex04_listen,
    ex04_drain,
    ex05_accept_key,
    ex05_close_codes,
    ex06_calculator,
    ex06_ids,
    ex07_everyone_else,
    ex07_who_left,
    ex07_nicknames,
    ex07_slow_reader,
    ex07_latest,
    ex08_packet,
    ex08_ack,
    ex09_first_event,
    ex09_goodbye,
    ex10_any_count,
    ex10_binary,
    ex11_three_values,
    ex11_ask_clients,
    ex12_isolation,
    ex12_rooms_map,
    ex12_typing,
    ex13_private,
    ex13_online,
    ex14_token,
    ex14_dynamic,
}
