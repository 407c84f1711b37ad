//! The HTML that stands for a directive or a fence.
//!
//! It goes back into the Markdown, where a blank line would end it and where mdBook's
//! `links` preprocessor looks for `{{#…}}`: so newlines and braces in it are written as
//! character references.

use mdbook_markdown::pulldown_cmark::{Event, Parser, Tag, TagEnd, html::push_html};
use std::fmt::Write as _;

/// `text`, escaping the characters that mean something in HTML or to mdBook.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '{' => html.push_str("&#123;"),
            '\n' => html.push_str("&#10;"),
            c => html.push(c),
        }
    }
    html
}

/// One paragraph of Markdown without its `<p>`.
pub(crate) fn inline(markdown: &str) -> String {
    let events = Parser::new(markdown).filter(|event| {
        !matches!(
            event,
            Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph)
        )
    });
    let mut text = String::new();
    push_html(&mut text, events);
    text.trim().replace('{', "&#123;").replace('\n', " ")
}

/// A code block in a language that the page's highlighter knows.
pub(crate) fn code(language: &str, text: &str) -> String {
    let shown = match language {
        "rust" => keep_hash_lines(text),
        _ => text.to_owned(),
    };
    let shown = escape(&shown);
    format!("<pre><code class=\"language-{language}\">{shown}</code></pre>")
}

/// mdBook hides the lines of a Rust block that begin with `# `, and takes one `#` from
/// those that begin with `##`: one more `#` makes it show the line as it was.
fn keep_hash_lines(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let hidden = code.strip_prefix('#').is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(['#', ' ', '\n'])
        });
        let hash = if hidden { "#" } else { "" };
        let _ = write!(kept, "{indent}{hash}{code}");
    }
    kept
}

/// A figure on its own line. `caption` and `body` are HTML.
pub(crate) fn figure(class: &str, caption: &str, body: &str) -> String {
    format!(
        "<figure class=\"{class}\"><figcaption>{caption}</figcaption>{body}</figure>"
    )
}

/// Two figures side by side where there is room, else one above the other.
pub(crate) fn side_by_side(left: &str, right: &str) -> String {
    format!("<div class=\"side-by-side\">{left}{right}</div>")
}

/// A block of lines, each with a class. It scrolls when they are long, so the keyboard
/// reaches it, and it has a name to be announced by.
pub(crate) fn lines<'a>(
    class: &str,
    name: &str,
    lines: impl IntoIterator<Item = (&'a str, String)>,
) -> String {
    let mut body = String::new();
    for (class, line) in lines {
        let line = escape(&line);
        let _ = write!(body, "<span class=\"{class}\">{line}&#10;</span>");
    }
    let name = escape(name);
    format!(
        "<pre class=\"{class}\" tabindex=\"0\" role=\"region\" \
         aria-label=\"{name}\">{body}</pre>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_means_nothing_to_html_markdown_or_mdbook() {
        assert_eq!(
            escape("a < b && \"c\"\n\n{{#x}}"),
            "a &lt; b &amp;&amp; &quot;c&quot;&#10;&#10;&#123;&#123;#x}}"
        );
    }

    #[test]
    fn only_lines_that_mdbook_would_hide_get_one_more_hash() {
        let text = "#[test]\n# hidden\n  ## two\n#\n#![deny(x)]\nlet a = 1; # no\n";
        let kept =
            "#[test]\n## hidden\n  ### two\n##\n#![deny(x)]\nlet a = 1; # no\n";
        assert_eq!(keep_hash_lines(text), kept);
    }
}
