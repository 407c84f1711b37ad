//! Every link inside the book leads somewhere, and no page loads anything from outside.

use super::{html_attributes, outline::Outline};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

/// What links may lead to.
#[derive(Debug)]
pub(crate) struct Targets {
    /// `book/src`.
    pub(crate) src: PathBuf,
    /// The chapters named in SUMMARY.md, by their path in `book/src`.
    pub(crate) pages: BTreeMap<String, Outline>,
}

impl Targets {
    /// Why the link `to` on `page` leads nowhere, if so.
    pub(crate) fn link(&self, page: &str, to: &str) -> Result<(), String> {
        match scheme(to) {
            Some("http" | "https" | "mailto") => return Ok(()),
            Some(other) => {
                return Err(format!("`{other}:` is not a link for a book"));
            }
            None => {}
        }
        let (path, id) = match to.split_once('#') {
            Some((path, id)) => (path, Some(id)),
            None => (to, None),
        };
        let target = if path.is_empty() {
            page.to_owned()
        } else {
            inside(page, path)?
        };
        if let Some(outline) = self.pages.get(&target) {
            return match id {
                Some(id) if !outline.has(id) => Err(format!(
                    "`{target}` has no heading with the id `{id}`: {}",
                    near(id, &outline.ids())
                )),
                _ => Ok(()),
            };
        }
        if target.ends_with(".md") {
            let known: Vec<&str> = self.pages.keys().map(String::as_str).collect();
            let known = near(&target, &known);
            return Err(format!(
                "`{target}` is not a chapter in SUMMARY.md: {known}"
            ));
        }
        self.file(&target, to)
    }

    /// Why the picture, script or style `to` on `page` cannot be loaded, if so.
    pub(crate) fn resource(&self, page: &str, to: &str) -> Result<(), String> {
        if to.starts_with("data:") {
            return Ok(());
        }
        if scheme(to).is_some() || to.starts_with("//") {
            return Err(format!(
                "`{to}` would be loaded from outside: pages work without a network, so \
                 put the file in book/src"
            ));
        }
        self.file(&inside(page, to)?, to)
    }

    /// The links and resources in HTML that the page's author wrote.
    pub(crate) fn html(&self, page: &str, html: &str) -> Result<(), String> {
        for (name, value) in html_attributes(html) {
            match name.as_str() {
                "href" if html.contains("<link") => self.resource(page, &value)?,
                "href" => self.link(page, &value)?,
                "src" | "poster" | "data" | "srcset" => {
                    self.resource(page, &value)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&self, target: &str, to: &str) -> Result<(), String> {
        if self.src.join(target).is_file() {
            return Ok(());
        }
        let page = to.strip_suffix(".html").map(|name| format!("{name}.md"));
        Err(match page {
            Some(page) => format!("link to `{page}`, not `{to}`: mdBook renames it"),
            None => format!("there is no file `book/src/{target}`"),
        })
    }
}

/// The `https` of `https://…`.
fn scheme(to: &str) -> Option<&str> {
    let (scheme, _) = to.split_once(':')?;
    let word = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    scheme.chars().all(word).then_some(scheme)
}

/// The path in `book/src` that `to` means on `page`.
fn inside(page: &str, to: &str) -> Result<String, String> {
    if to.starts_with('/') {
        return Err(format!(
            "`{to}` breaks if the book is not at the top of its site: write it \
             relative to this page"
        ));
    }
    let mut path = Path::new(page)
        .parent()
        .unwrap_or(Path::new(""))
        .to_path_buf();
    for part in Path::new(to).components() {
        let ok = match part {
            Component::ParentDir => path.pop(),
            Component::CurDir => true,
            other => {
                path.push(other);
                true
            }
        };
        if !ok {
            return Err(format!(
                "`{to}` leads out of book/src, so it is not among the pages: show code \
                 with a listing, and name other files as text"
            ));
        }
    }
    Ok(path.to_string_lossy().replace('\\', "/"))
}

/// The two of `known` nearest to `wanted`, or all when they are few.
fn near(wanted: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "it has none".to_owned();
    }
    let mut known = known.to_vec();
    if known.len() > 4 {
        known.sort_by(|a, b| {
            let likeness =
                |name: &str| similar::TextDiff::from_chars(wanted, name).ratio();
            likeness(b).total_cmp(&likeness(a))
        });
        known.truncate(2);
        return format!("did you mean {}?", known.join(" or "));
    }
    format!("it has {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    fn check<T>(test: impl FnOnce(&Targets) -> T) -> T {
        let tree = Fixture::new().file("book/src/a/pic.svg", "<svg/>");
        let many = "# One\n## Two\n## Three\n## Four\n## Hand-written fence\n";
        test(&Targets {
            src: tree.path().join("book/src"),
            pages: BTreeMap::from([
                (
                    "01-a.md".to_owned(),
                    Outline::of("# Top\n## Next\n## Next\n"),
                ),
                ("a/b.md".to_owned(), Outline::of(many)),
            ]),
        })
    }

    #[test]
    fn good_links_pass() {
        check(|targets| {
            for (page, to) in [
                ("01-a.md", "https://www.rfc-editor.org/rfc/rfc9112#name-x"),
                ("01-a.md", "#next-1"),
                ("01-a.md", "a/b.md#three"),
                ("a/b.md", "../01-a.md"),
                ("a/b.md", "./b.md#one"),
                ("a/b.md", "pic.svg"),
            ] {
                assert_eq!(targets.link(page, to), Ok(()), "{to}");
            }
        });
    }

    #[test]
    fn bad_links_are_reported_with_near_matches() {
        check(|targets| {
            for (to, cause) in [
                (
                    "#nxt",
                    "no heading with the id `nxt`: it has top, next, next-1",
                ),
                (
                    "a/b.md#hand-writen-fence",
                    "did you mean hand-written-fence or",
                ),
                (
                    "02-b.md",
                    "`02-b.md` is not a chapter in SUMMARY.md: it has 01-a.md",
                ),
                ("a/b.html", "link to `a/b.md`, not `a/b.html`"),
                ("../../examples/01_a/main.rs", "leads out of book/src"),
                ("/01-a.md", "breaks if the book is not at the top"),
                ("gone.png", "no file `book/src/gone.png`"),
                ("javascript:alert(1)", "`javascript:` is not a link"),
                ("//example.com/x", "breaks if"),
            ] {
                let error = targets.link("01-a.md", to).expect_err(to);
                assert!(error.contains(cause), "{to}: {error}");
            }
        });
    }

    #[test]
    fn nothing_is_loaded_from_outside() {
        check(|targets| {
            assert_eq!(targets.resource("01-a.md", "a/pic.svg"), Ok(()));
            for to in ["https://example.com/a.png", "//example.com/a.js"] {
                let error = targets.resource("01-a.md", to).expect_err(to);
                assert!(error.contains("loaded from outside"), "{error}");
            }
            for html in [
                "<script src=\"https://example.com/a.js\"></script>",
                "<link rel=stylesheet href='http://example.com/a.css'>",
                "<img alt=\"\" src=http://example.com/a.png>",
            ] {
                let error = targets.html("01-a.md", html).expect_err(html);
                assert!(error.contains("loaded from outside"), "{html}: {error}");
            }
            let link = "<a href=\"gone.md\">x</a>";
            let error = targets.html("01-a.md", link).expect_err("no such chapter");
            assert!(error.contains("is not a chapter"), "{error}");
            let link = "<a href=\"https://example.com\">x</a>";
            assert_eq!(targets.html("01-a.md", link), Ok(()));
        });
    }
}
