//! Read the three files, and refuse what is malformed.

use super::ImportError;
use aar_domain::item::Item;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// An item with its truth and its cluster: items that share a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The item.
    pub item: Item,
    /// Whether the positive answer is right.
    pub positive: bool,
    /// The question, or the group that the data names.
    pub cluster: String,
}

/// The three sets.
pub struct Sets {
    /// The teacher's.
    pub labelled: Vec<Labelled>,
    /// The pool.
    pub pool: Vec<Labelled>,
    /// The test items.
    pub test: Vec<Labelled>,
    /// SHA-256 of the files.
    pub digest: String,
}

/// Which of these margins are right.
pub fn correct(margins: &[f32], rows: &[Labelled]) -> Vec<bool> {
    margins.iter().zip(rows).map(|(margin, row)| (*margin > 0.0) == row.positive).collect()
}

/// A row of either shape; which fields are there decides.
#[derive(Deserialize)]
struct Raw {
    id: Option<String>,
    prompt: Option<String>,
    first: Option<String>,
    second: Option<String>,
    question: Option<String>,
    choice: Option<String>,
    label: Option<serde_json::Value>,
}

/// The files, in order.
pub const FILES: [&str; 3] = ["train_label.jsonl", "train_unlabel.jsonl", "test.jsonl"];

/// Read a folder.
pub fn read(data: &Path) -> Result<Sets, ImportError> {
    let groups = read_groups(data)?;
    let mut hash = Sha256::new();
    let mut seen: HashMap<String, (usize, usize)> = HashMap::new();
    let mut sets = Vec::new();
    for (at, name) in FILES.into_iter().enumerate() {
        let path = data.join(name);
        let text = std::fs::read_to_string(&path).map_err(ImportError::file("read", &path))?;
        hash.update(&text);
        let mut rows = Vec::new();
        for (line, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let wrong = |detail: String| ImportError::Row { path: path.clone(), line: line + 1, detail };
            let (id, row) = parse(text, &groups).map_err(wrong)?;
            if let Some((other, other_line)) = seen.insert(id.clone(), (at, line + 1)) {
                return Err(wrong(format!("id {id:?} occurred before, in {} line {other_line}", FILES[other])));
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err(ImportError::Set { path, detail: "has no rows".into() });
        }
        sets.push(rows);
    }
    check(data, &sets, !groups.is_empty())?;
    let mut sets = sets.into_iter();
    let mut next = || sets.next().unwrap_or_default();
    Ok(Sets { labelled: next(), pool: next(), test: next(), digest: hex::encode(hash.finalize()) })
}

/// `meta.jsonl`, where there is one: the group of every id. Without it items that share a prompt or question are a cluster.
fn read_groups(data: &Path) -> Result<HashMap<String, String>, ImportError> {
    #[derive(Deserialize)]
    struct Meta {
        id: String,
        group: Option<String>,
    }
    let path = data.join("meta.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Ok(HashMap::new());
    };
    let mut groups = HashMap::new();
    for (line, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let meta: Meta = serde_json::from_str(text).map_err(|error| ImportError::Row {
            path: path.clone(),
            line: line + 1,
            detail: error.to_string(),
        })?;
        if let Some(group) = meta.group {
            groups.insert(meta.id, group);
        }
    }
    Ok(groups)
}

fn parse(text: &str, groups: &HashMap<String, String>) -> Result<(String, Labelled), String> {
    let raw: Raw =
        serde_json::from_str(text).map_err(|error| format!("not a JSON object of the expected shape: {error}"))?;
    let id = raw.id.clone().ok_or("has no \"id\"")?;
    let text = |name: &str, value: &Option<String>| {
        value.clone().filter(|value| !value.trim().is_empty()).ok_or_else(|| format!("{name:?} is missing or empty"))
    };
    let preference = raw.first.is_some() || raw.second.is_some() || raw.prompt.is_some();
    let (item, question) = if preference {
        let (prompt, first, second) =
            (text("prompt", &raw.prompt)?, text("first", &raw.first)?, text("second", &raw.second)?);
        // Where all items share one instruction, a pair is its own question.
        let question = format!(
            "{prompt}\n{}",
            if first < second { format!("{first}\n{second}") } else { format!("{second}\n{first}") }
        );
        (Item::Preference { id: id.as_str().into(), prompt, first, second }, question)
    } else {
        let (question, choice) = (text("question", &raw.question)?, text("choice", &raw.choice)?);
        (Item::Binary { id: id.as_str().into(), question: question.clone(), choice }, question)
    };
    let positive = label(raw.label.as_ref(), preference)?;
    let cluster = groups.get(&id).cloned().unwrap_or(question);
    Ok((id, Labelled { item, positive, cluster }))
}

/// A label of either form, as whether the positive answer is right.
pub fn label(value: Option<&serde_json::Value>, preference: bool) -> Result<bool, String> {
    let right = if preference { "\"A\" or \"B\"" } else { "true or false" };
    match value {
        None | Some(serde_json::Value::Null) => Err(format!(
            "has no \"label\"; {right} is needed (pool and test are labelled too: baselines are trained and graded on them)"
        )),
        Some(serde_json::Value::Bool(label)) if !preference => Ok(*label),
        Some(serde_json::Value::Number(label))
            if !preference && (label.as_i64() == Some(0) || label.as_i64() == Some(1)) =>
        {
            Ok(label.as_i64() == Some(1))
        }
        Some(serde_json::Value::String(label)) => match (label.trim().to_lowercase().as_str(), preference) {
            ("a", true) | ("true", false) => Ok(true),
            ("b", true) | ("false", false) => Ok(false),
            _ => Err(format!("label {label:?}: {right} is needed")),
        },
        Some(other) => Err(format!("label {other}: {right} is needed")),
    }
}

/// What the files together must hold.
fn check(data: &Path, sets: &[Vec<Labelled>], grouped: bool) -> Result<(), ImportError> {
    let wrong = |file: usize, detail: String| ImportError::Set { path: data.join(FILES[file]), detail };
    let shape = |row: &Labelled| matches!(row.item, Item::Preference { .. });
    for (file, rows) in sets.iter().enumerate() {
        if rows.iter().any(|row| shape(row) != shape(&sets[0][0])) {
            return Err(wrong(file, "mixes pairs (prompt, first, second) and answers (question, choice)".into()));
        }
        let positive = rows.iter().filter(|row| row.positive).count();
        if positive == 0 || positive == rows.len() {
            return Err(wrong(file, format!("all {} labels are the same", rows.len())));
        }
    }
    let mut where_from: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (file, rows) in sets.iter().enumerate() {
        for row in rows {
            where_from.entry(&row.cluster).or_default().insert(file);
        }
    }
    let test = 2;
    if let Some((question, files)) = where_from.iter().find(|(_, files)| files.len() > 1 && files.contains(&test)) {
        let files: Vec<&str> = files.iter().map(|&file| FILES[file]).collect();
        let question: String = question.chars().take(80).collect();
        let what = if grouped { "group" } else { "question" };
        return Err(ImportError::Set {
            path: data.to_owned(),
            detail: format!("the {what} {question:?} is in {}; keep every question in one file", files.join(" and ")),
        });
    }
    Ok(())
}

#[cfg(test)]
#[path = "../../../lm/tests/damage/mod.rs"]
mod damage;

#[cfg(test)]
mod tests {
    use super::damage::damage;
    use super::*;
    use proptest::prelude::*;

    const PAIRS: &str = "{\"id\":\"NAME1\",\"prompt\":\"p\",\"first\":\"x\",\"second\":\"y\",\"label\":1}\n\
                         {\"id\":\"NAME2\",\"prompt\":\"q\",\"first\":\"x\",\"second\":\"z\",\"label\":0}\n";

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever lies in a folder, it is three sets or an error that names a file of it.
        #[test]
        fn files_of_strangers(damage in damage(), which in 0..4usize) {
            let dir = tempfile::tempdir().unwrap();
            let names = [FILES[0], FILES[1], FILES[2], "meta.jsonl"];
            for (at, name) in names.into_iter().enumerate() {
                let text = if at == 3 { "{\"id\":\"a1\",\"group\":\"g\"}\n".to_owned() } else { PAIRS.replace("NAME", ["a", "b", "c"][at.min(2)]) };
                let bytes = if at == which { damage.apply(text.as_bytes()) } else { text.into_bytes() };
                std::fs::write(dir.path().join(name), bytes).unwrap();
            }
            match read(dir.path()) {
                Ok(sets) => prop_assert!(!sets.test.is_empty() && !sets.pool.is_empty() && !sets.labelled.is_empty()),
                Err(error) => prop_assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}"),
            }
        }
    }
}
