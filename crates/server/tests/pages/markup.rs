//! Reads our own pages, piece by piece: enough of HTML for what the templates write, which is well formed.

use std::collections::BTreeMap;

/// Elements without an end.
const VOID: &[&str] = &["meta", "link", "input", "br", "img", "hr", "!DOCTYPE"];

/// An open element.
#[derive(Clone, Debug)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
}

impl Element {
    pub fn has(&self, class: &str) -> bool {
        self.attributes.get("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
    }
}

/// Every text of a page with the elements it stands in, outermost first.
pub fn texts(page: &str) -> Vec<(Vec<Element>, String)> {
    let (mut open, mut found, mut rest) = (Vec::<Element>::new(), Vec::new(), page);
    while !rest.is_empty() {
        let Some(text) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            if !rest[..end].trim().is_empty() {
                found.push((open.clone(), unescaped(&rest[..end])));
            }
            rest = &rest[end..];
            continue;
        };
        let end = tag_end(text);
        let (tag, after) = (&text[..end], &text[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop().expect("an end has a start");
            assert_eq!(last.name, name, "elements are nested");
            continue;
        }
        let element = element(tag);
        match element.name.as_str() {
            name if VOID.contains(&name) => {}
            name @ ("style" | "script") => {
                let end = rest.find(&format!("</{name}>")).expect("it ends");
                rest = &rest[end + name.len() + 3..];
            }
            _ => open.push(element),
        }
    }
    found
}

fn tag_end(text: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at,
            _ => {}
        }
    }
    panic!("a tag ends: {text:.80}")
}

fn element(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
    let mut attributes = BTreeMap::new();
    while let Some((key, after)) = rest.split_once('=').filter(|(_, after)| after.starts_with('"')) {
        let end = after[1..].find('"').expect("values are quoted") + 1;
        for bare in key.split_whitespace() {
            attributes.insert(bare.to_owned(), String::new());
        }
        let key = key.split_whitespace().last().unwrap_or_default();
        attributes.insert(key.to_owned(), unescaped(&after[1..end]));
        rest = &after[end + 1..];
    }
    attributes.extend(rest.split_whitespace().map(|bare| (bare.trim_end_matches('/').to_owned(), String::new())));
    Element { name: name.trim_end_matches('/').to_owned(), attributes }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn texts_know_what_they_stand_in() {
    let found = texts("<p class=\"a b\" data-told>1 <b data-from=\"x/1\">2 &lt; 3</b><br>4</p><style>a>b{}</style>");
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["1 ", "2 < 3", "4"]);
    assert!(found[1].0[0].has("b") && found[1].0[0].attributes.contains_key("data-told"));
    assert_eq!(found[1].0[1].attributes["data-from"], "x/1");
}
