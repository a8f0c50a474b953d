//! Read a folder with the three JSONL files, and `meta.jsonl` where there is one.

use super::LintError;
use super::material::{Columns, Material, Role, Row, Set, item, objects};
use crate::import::rows::{FILES, label};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// Read a folder.
pub fn read(dir: &Path) -> Result<Material, LintError> {
    if !FILES.iter().any(|name| dir.join(name).is_file()) {
        return Err(LintError::Neither(dir.to_owned()));
    }
    let mut meta = read_meta(dir)?;
    let mut sets = Vec::new();
    for (name, role) in FILES.into_iter().zip([Role::Labelled, Role::Pool, Role::Test]) {
        let path = dir.join(name);
        let rows: Result<Vec<Row>, LintError> =
            objects(&path)?.into_iter().map(|(line, object)| row(&path, line, object, &mut meta)).collect();
        let rows = rows?;
        if rows.is_empty() {
            return Err(LintError::Content { path, detail: "has no rows".into() });
        }
        sets.push(Set { name: name.into(), role, rows });
    }
    Ok(Material { sets, frozen: None, minted: false })
}

fn row(path: &Path, line: usize, mut object: Columns, meta: &mut HashMap<String, Columns>) -> Result<Row, LintError> {
    let item = item(path, line, &mut object)?;
    let wrong = |detail: String| LintError::Row { path: path.to_owned(), line, detail };
    let pair = matches!(item, aar_domain::item::Item::Preference { .. });
    let positive = label(object.remove("label").as_ref(), pair).map_err(wrong)?;
    let mut private = meta.remove(item.id().0.as_str()).unwrap_or_default();
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let group = text(private.remove("group"));
    let answer = text(private.remove("answer"));
    private.remove("split");
    let mut row = Row { item, label: Some(positive), cluster: String::new(), answer, columns: object, private };
    row.cluster = group.unwrap_or_else(|| own_cluster(&row));
    Ok(row)
}

/// Items that share a question; where all pairs share one instruction, a pair is its own question.
fn own_cluster(row: &Row) -> String {
    let (first, second) = row.replies();
    match row.is_pair() {
        true => format!("{}\n{}\n{}", row.question(), first.min(second), first.max(second)),
        false => row.question().to_owned(),
    }
}

fn read_meta(dir: &Path) -> Result<HashMap<String, Columns>, LintError> {
    let path = dir.join("meta.jsonl");
    if !path.is_file() {
        return Ok(HashMap::new());
    }
    let id = |object: &mut Columns| match object.remove("id") {
        Some(Value::String(id)) => Some(id),
        _ => None,
    };
    Ok(objects(&path)?.into_iter().filter_map(|(_, mut object)| Some((id(&mut object)?, object))).collect())
}
