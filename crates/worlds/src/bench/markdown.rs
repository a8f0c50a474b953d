//! The table as Markdown, and its place in a page that holds other text too.

use super::published;
use super::table::{Cell, Column, Row, SubjectTable, Table};
use aar_domain::stats::Pgr;

/// Where the table begins in a page.
pub const BEGIN: &str = "<!-- aar bench methods -->";
/// Where it ends.
pub const END: &str = "<!-- end of aar bench methods -->";

/// The whole table. `command` is what makes it again.
pub fn render(table: &Table, command: &str) -> String {
    let over = match table.seeds {
        1 => "items alone (one seed)".to_owned(),
        seeds => format!("items and {seeds} seeds"),
    };
    let mut out = format!(
        "{BEGIN}\n`{command}`: PGR on the {} split with 95 % intervals over {over}. *Over testbeds* is the mean with a t interval over \
         testbeds, what may be said of worlds that were not drawn. Operations are counted, in plain training's; CPU-seconds are those of one \
         seed, answers included. The teacher itself is at 0 and the ceiling at 1 by definition; what is called a control is no recipe.\n",
        table.split
    );
    for part in &table.subjects {
        out.push_str(&subject(part, table.seeds));
    }
    out + &published::render(table) + END + "\n"
}

fn subject(part: &SubjectTable, seeds: usize) -> String {
    let mut out = format!("\n### {}\n\n", part.subject);
    for testbed in &part.testbeds {
        let public = if testbed.truth_public { "; demonstration: truth is public" } else { "" };
        out.push_str(&format!(
            "- `{}`{}: weak {:.3}, ceiling {:.3}, {} items{public}\n",
            testbed.name,
            if testbed.world.is_empty() { String::new() } else { format!(" ({})", testbed.world) },
            testbed.weak,
            testbed.ceiling,
            testbed.items
        ));
    }
    out.push_str(&constructed(part));
    let names = part.testbeds.iter().map(|testbed| format!("{} | ", testbed.name)).collect::<String>();
    let rules = "---|".repeat(part.testbeds.len());
    out.push_str(&format!(
        "\n| recipe | family | {names}over testbeds | operations | CPU-s |\n|---|---|{rules}---|---|---|\n"
    ));
    let reasons: Vec<String> = part.rows.iter().filter_map(reason).collect();
    for row in &part.rows {
        out.push_str(&line(row, seeds));
    }
    if !reasons.is_empty() {
        out.push_str(&format!("\n{}\n", reasons.join("\n\n")));
    }
    out
}

/// What games the generator, one line per shortcut with its PGR on every testbed.
fn constructed(part: &SubjectTable) -> String {
    let Some(first) = part.testbeds.iter().find(|testbed| !testbed.constructed.is_empty()) else {
        return String::new();
    };
    let of = |name: &str| -> String {
        let known = |testbed: &Column| testbed.constructed.iter().find(|(own, _)| own == name).map(|(_, pgr)| *pgr);
        let each: Vec<String> =
            part.testbeds.iter().map(|testbed| known(testbed).map_or("–".into(), |pgr| format!("{pgr:.2}"))).collect();
        format!("- {name}: {}\n", each.join(", "))
    };
    let lines: String = first.constructed.iter().map(|(name, _)| of(name)).collect();
    format!("\nShortcuts made for this generator, PGR on each world's check items, from its record:\n\n{lines}")
}

fn line(row: &Row, seeds: usize) -> String {
    let cells: String = row.cells.iter().map(|cell| format!("{} | ", text(cell, seeds))).collect();
    let over = row.over_testbeds.map_or("–".into(), |pgr| interval(&pgr));
    let operations = row.operations.map_or("–".into(), |ratio| format!("{ratio:.2}"));
    let cpu = row.cpu_s.map_or("–".into(), |cpu_s| format!("{cpu_s:.1}"));
    format!("| {} | {} | {cells}{over} | {operations} | {cpu} |\n", row.name, row.family)
}

fn text(cell: &Cell, asked: usize) -> String {
    match cell {
        Cell::Scored { pgr: None, .. } => "undefined".into(),
        Cell::Scored { pgr: Some(pgr), seeds, .. } if *seeds < asked => {
            format!("{} ({seeds} of {asked} seeds)", interval(pgr))
        }
        Cell::Scored { pgr: Some(pgr), .. } => interval(pgr),
        Cell::NotApplicable(_) => "n/a".into(),
        Cell::Failed(_) => "failed".into(),
        Cell::Missing => "not run".into(),
    }
}

/// What stands behind the first "n/a" or "failed" of a row.
fn reason(row: &Row) -> Option<String> {
    row.cells.iter().find_map(|cell| match cell {
        Cell::NotApplicable(why) => Some(format!("n/a: {why}.")),
        Cell::Failed(why) => Some(format!("failed: {}: {why}.", row.name)),
        _ => None,
    })
}

pub(super) fn interval(pgr: &Pgr) -> String {
    format!("{:.2} [{:.2}, {:.2}]", pgr.value, pgr.low, pgr.high)
}

/// `page` with the table in its place, as [`between`] puts it.
pub fn insert(page: &str, table: &str) -> String {
    between(page, table, (BEGIN, END), "Methods")
}

/// `page` with `part` in its place: between its two marks, or under a heading at the end where there are none.
pub fn between(page: &str, part: &str, (begin, end): (&str, &str), heading: &str) -> String {
    match (page.find(begin), page.find(end)) {
        (Some(from), Some(to)) if from < to => {
            let rest = page[to + end.len()..].strip_prefix('\n').unwrap_or(&page[to + end.len()..]);
            format!("{}{part}{rest}", &page[..from])
        }
        _ if page.trim().is_empty() => format!("# {heading}\n\n{part}"),
        _ => format!("{}\n\n## {heading}\n\n{part}", page.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_what_stands_around_the_table() {
        let table = format!("{BEGIN}\nnew\n{END}\n");
        let page = format!("# A\n\n{BEGIN}\nold\n{END}\n\n## B\n");
        assert_eq!(insert(&page, &table), format!("# A\n\n{BEGIN}\nnew\n{END}\n\n## B\n"));
        assert_eq!(insert("# A\n", &table), format!("# A\n\n## Methods\n\n{table}"));
        assert_eq!(insert(&insert("# A\n", &table), &table), insert("# A\n", &table));
        assert!(insert("", &table).starts_with("# Methods"));
    }

    #[test]
    fn every_kind_of_cell_is_told() {
        let pgr = Pgr { value: 0.5, low: 0.4, high: 0.6, se: 0.05 };
        let cells = vec![
            Cell::Scored { pgr: Some(pgr), accuracy: 0.7, seeds: 5 },
            Cell::Scored { pgr: Some(pgr), accuracy: 0.7, seeds: 2 },
            Cell::Scored { pgr: None, accuracy: 0.7, seeds: 5 },
            Cell::NotApplicable("no order to swap".into()),
            Cell::Failed("NaN".into()),
            Cell::Missing,
        ];
        let row = Row {
            recipe: "x".into(),
            name: "x y".into(),
            family: "other",
            cells,
            over_testbeds: None,
            operations: Some(2.0),
            cpu_s: None,
        };
        let expect = "| x y | other | 0.50 [0.40, 0.60] | 0.50 [0.40, 0.60] (2 of 5 seeds) | undefined | n/a | failed | not run | – | 2.00 | – |\n";
        assert_eq!(line(&row, 5), expect);
        assert_eq!(reason(&row).as_deref(), Some("n/a: no order to swap."));
    }
}
