//! The headline figure, with the data behind it.

use aar_server::board::Board;
use aar_server::pages::figures::{Over, in_order, progress};
use aar_server::pages::origin::{evaluation, told};
use aar_server::pages::with_interval;
use aar_server::record::Note;
use aar_server::spending;
use maud::{Markup, html};

/// PGR over evaluations, and over what they cost under folds.
pub fn section(board: &Board, notes: &[Note]) -> Markup {
    let course = spending::course(notes);
    let link = |id: i64| format!("#e{id}");
    html! {
        @if board.rows.iter().all(|row| row.pgr().is_none()) { p.note { "No PGR to draw." } } @else {
            figure {
                div.wide { (progress(board, Over::Evaluations, &[], &link)) }
                figcaption {
                    "Every evaluation. Hollow: graded on the feedback split (announcements). Solid: replicated on fresh seeds and unseen items (results). \
                     Circles: researchers; squares: baselines; crosses: the random control. The step is the team's best so far, a maximum over noise; the dotted one is the random control's. Lines: baselines; the band is plain ± the noise floor. Whiskers: 95 % intervals."
                }
            }
            details { summary { "The same over hours" } figure { div.wide { (progress(board, Over::Hours, &[], &link)) } } }
            details { summary { "The same over CPU-hours" } figure { div.wide { (progress(board, Over::Cost, &[], &link)) } } }
            @if course.iter().any(|spent| spent.usd > 0.0) { details { summary { "The same over dollars" } figure { div.wide { (progress(board, Over::Dollars, &course, &link)) } } } }
            (data(board))
        }
    }
}

fn data(board: &Board) -> Markup {
    let (rows, _) = in_order(board);
    let mut spent = 0.0;
    html! {
        details { summary { "The data behind these figures" }
            div.scroll { table {
                thead { tr { th { "#" } th { "method" } th { "by" } th { "rung" } th { "PGR [95 %]" } th { "CPU-s" } th { "CPU-s, so far" } } }
                tbody { @for row in rows {
                    @let own = row.cpu_ms as f64 / 1000.0;
                    @let so_far = { spent += own; spent };
                    tr {
                        td { (super::evidence(row.record.id)) } td { (told(&row.record.asked.name)) } td { (told(row.author())) } td { (row.rung.name()) }
                        td.n { (evaluation(row.record.id, "pgr", with_interval(row.score.pgr))) }
                        td.n { (evaluation(row.record.id, "cpu_s", format!("{own:.1}"))) }
                        td.n { (evaluation(row.record.id, "cpu_s_so_far", format!("{so_far:.1}"))) }
                    }
                } }
            } }
        }
    }
}
