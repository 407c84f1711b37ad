//! `cargo book`: builds the book of the course, and serves it with live reload.

use anyhow::{Context, Result};
use book::{build, preprocess::Course, record, root, serve};
use clap::{Args, Parser, Subcommand};
use mdbook_preprocessor::{Preprocessor, parse_input};
use std::{
    env, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};
use tokio::runtime::Runtime;

/// Builds the book of the course, and serves it with live reload.
#[derive(Parser)]
#[command(name = "cargo book", bin_name = "cargo book", after_help = EXAMPLES)]
struct Cli {
    /// The repository, if not the one around the current folder.
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  cargo book                     serve at http://127.0.0.1:4000; Ctrl-C ends it
  PORT=0 cargo book              serve at any free port
  cargo book build               static pages in target/book/html
  cargo book build --out DIR     static pages in DIR
  mdbook build book              the same pages, by mdBook's own program";

#[derive(Subcommand)]
enum Command {
    /// Serve the pages, build again when a file changes, and show it at once.
    ///
    /// Listens on 127.0.0.1, at the port in the environment variable PORT (default
    /// 4000, 0: any free one). When a build fails, the pages of the last good one stay
    /// and say what is wrong.
    Serve,
    /// Write static pages, which need no server.
    ///
    /// Each mistake is one line, `file:line: cause and cure`; the exit code is then 1,
    /// and the folder stays as it was.
    Build {
        /// Where to write them.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Run what the book shows and record the output in book/recorded.
    ///
    /// The wire of each lesson and of its Node twin (which needs Node.js 20 and
    /// `npm ci --prefix examples`), and what the compiler, the program or the contract
    /// says about each mistake in book/mistakes; then what `cargo course` prints. Commit
    /// what it writes.
    Record,
    /// Speak mdBook's preprocessor protocol on standard input and output.
    ///
    /// book.toml names it, so that `mdbook build book` gives the same pages.
    Preprocess(Preprocess),
}

#[derive(Args)]
struct Preprocess {
    #[command(subcommand)]
    question: Option<Question>,
}

#[derive(Subcommand)]
enum Question {
    /// Exit with 0 if pages can be made for this renderer, else with 1.
    Supports {
        /// mdBook's name for it, such as html.
        renderer: String,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let here = env::current_dir().context("the current folder is gone")?;
    let root = match cli.root {
        Some(root) => here.join(root),
        None => root::find(&here)?,
    };
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => Runtime::new()?.block_on(serve::serve(root))?,
        Command::Build { out } => {
            let out = match out {
                Some(out) => here.join(out),
                None => root.join("target/book/html"),
            };
            write(&root, &out)?;
        }
        Command::Record => {
            record::wire(&root)?;
            record::mistakes(&root)?;
            record::course(&root)?;
        }
        Command::Preprocess(Preprocess { question }) => {
            let course = Course::new(root);
            match question {
                Some(Question::Supports { renderer }) => {
                    let code = u8::from(!course.supports_renderer(&renderer)?);
                    return Ok(ExitCode::from(code));
                }
                None => preprocess(&course)?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(root: &Path, out: &Path) -> Result<()> {
    let start = Instant::now();
    let chapters = build::replace(root, out)?;
    let seconds = start.elapsed().as_secs_f32();
    println!("{chapters} chapters in {} ({seconds:.1} s)", out.display());
    Ok(())
}

fn preprocess(course: &Course) -> Result<()> {
    let (context, book) = parse_input(io::stdin().lock())?;
    let book = course.run(&context, book)?;
    serde_json::to_writer(io::stdout().lock(), &book)?;
    Ok(())
}
