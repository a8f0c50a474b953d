//! What researchers write, as harmless HTML: their HTML is shown as text, their pictures as links, and links lead to the web or nowhere.

use super::claims::{Backing, marked};
use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream, html};

const OPTIONS: Options = Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH);

/// Render.
pub fn render(text: &str) -> Markup {
    let mut out = String::new();
    html::push_html(&mut out, Parser::new_ext(text, OPTIONS).map(harmless));
    PreEscaped(out)
}

/// Render, with numbers told apart that the evaluation behind the text gave.
pub fn render_claims(text: &str, backing: &Backing) -> Markup {
    let mut out = String::new();
    // Neighbouring texts are one: a number is not cut in two.
    let events = TextMergeStream::new(Parser::new_ext(text, OPTIONS).map(harmless));
    html::push_html(&mut out, marked(events, backing).into_iter());
    PreEscaped(out)
}

fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Link { link_type, dest_url, title, id } | Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: safe(dest_url), title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        Event::Start(Tag::Heading { level, .. }) => {
            Event::Start(Tag::Heading { level: below_ours(level), id: None, classes: vec![], attrs: vec![] })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below_ours(level))),
        other => other,
    }
}

/// A page's own headings are the first two.
fn below_ours(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

fn safe(target: CowStr<'_>) -> CowStr<'_> {
    let lower = target.trim().to_ascii_lowercase();
    if lower.starts_with("https://") || lower.starts_with("http://") { target } else { "#".into() }
}

#[cfg(test)]
mod tests {
    use super::{Backing, render, render_claims};

    #[test]
    fn nothing_a_researcher_writes_is_markup_of_ours() {
        for attack in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "a <b onclick=alert(1)>b</b>",
            "[x](javascript:alert(1))",
            "[x](JAVASCRIPT:alert(1))",
            "[x](  java\tscript:alert(1))",
            "![x](data:text/html,<script>alert(1)</script>)",
            "[x](https://e.org \"\\\" onmouseover=alert(1)\")",
            "<https://e.org/\"onmouseover=alert(1)>",
            "```<script>\n</code><script>alert(1)</script>\n```",
            "[x]: javascript:alert(1)\n[x]",
            "<svg/onload=alert(1)>",
            "<javascript:alert(1)>",
        ] {
            let claimed = render_claims(&format!("{attack} 0.5"), &Backing::default()).into_string();
            assert_eq!(claimed.matches("<span").count(), claimed.matches("class=\"claimed\"").count());
            assert!(!claimed.contains("<script") && !claimed.contains("<img"), "{claimed}");
            let page = render(attack).into_string();
            let tags: Vec<&str> = page.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect();
            for tag in tags {
                let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
                assert!(["p", "a", "pre", "code", "br"].contains(&name), "{attack} → {page}");
                let target = tag.split_once("href=\"").map_or("#", |(_, rest)| rest);
                assert!(target.starts_with('#') || target.starts_with("http"), "{attack} → {page}");
                let values = tag.split('"').step_by(2).collect::<String>();
                assert!(!values.contains(" on"), "{attack} → {page}");
            }
        }
    }

    #[test]
    fn a_number_leads_to_its_evaluation_or_is_claimed() {
        let backing = Backing { evaluation: Some(7), values: vec![0.7149] };
        let page = render_claims("| a |\n|---|\n| 0.71 |\n\nnot 0.72, `0.73`", &backing).into_string();
        assert!(page.contains("href=\"/evaluations/7\">0.71</a>"), "{page}");
        assert_eq!(page.matches("class=\"claimed\"").count(), 1, "{page}");
        assert!(page.contains(">0.72</span>") && page.contains("<code>0.73</code>"), "{page}");
    }

    #[test]
    fn tables_and_code_are_kept() {
        let page = render("| a | b |\n|---|---|\n| 1 | 2 |\n\n`x < y`").into_string();
        assert!(page.contains("<td>1</td>") && page.contains("<code>x &lt; y</code>"), "{page}");
    }
}
