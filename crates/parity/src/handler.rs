//! Closures as handlers: async, with up to six extractors.

/// Implements a handler trait for async closures whose arguments are extractors.
///
/// socketioxide's own traits run the handler as a task of its own. These give the future
/// back, so that it can be run in its turn.
macro_rules! for_closures {
    ($implement:ident) => {
        $implement!();
        $implement!(T1);
        $implement!(T1, T2);
        $implement!(T1, T2, T3);
        $implement!(T1, T2, T3, T4);
        $implement!(T1, T2, T3, T4, T5);
        $implement!(T1, T2, T3, T4, T5, T6);
    };
}
pub(crate) use for_closures;

/// Why an argument could not be extracted.
pub(crate) type Refusal = String;
