//! `cargo book`: builds the book of the course, and serves it with live reload.
//!
//! | module | what it is |
//! |---|---|
//! | [`build`] | from `book/` to pages, through mdBook's own crates |
//! | [`preprocess`] | listings, recordings, mistakes, diagrams and quizzes; every check |
//! | [`record`] | runs the contracts and the mistakes, and records their output |
//! | [`mistake`] | one named edit that breaks a lesson |
//! | [`serve`] | the pages at 127.0.0.1, built again and shown at once when a file changes |
//! | [`problem`] | what is wrong with the book, and where |
//! | [`root`] | the repository that the book belongs to |

pub mod build;
pub mod mistake;
pub mod preprocess;
pub mod problem;
pub mod record;
pub mod root;
pub mod serve;

mod edition;
#[cfg(test)]
mod fixture;
mod live;
mod local;
mod log;
mod watch;
