//! 1,000 null studies per policy and strategy, with researchers who choose their next submission by the ledger's answers: at most 64 may end with
//! any method declared better.
//!
//! `cargo run --release -p aar-grader --example adaptive [STUDIES]`

#![allow(clippy::print_stdout)]

use aar_domain::stats::simulate::Design;
use aar_grader::attack::null::{Found, Strategy, studies};
use aar_grader::ledger::Policy;
use std::process::ExitCode;

/// Bootstrap replicates of a close.
const REPLICATES: usize = 400;

fn main() -> ExitCode {
    let count: u32 = std::env::args().nth(1).map_or(1000, |count| count.parse().expect("a number of studies"));
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u32;
    let designs = [
        // Methods that differ much in which items they have right: what choosing by answers can exploit.
        ("24 submissions, 1,200 graded items", Design { bundles: 24, taste: 0.4, ..Design::default() }),
        (
            "96 submissions, 200 graded items, no luck of seeds",
            Design { bundles: 96, taste: 0.45, luck: 0.0, feedback: 200, selection: 2000, ..Design::default() },
        ),
    ];
    println!("null studies of adaptive researchers that declare a method better (of {count}; promised: at most 6.4 %)");
    println!("  {:28} {:8} {:>8}  best graded answer minus truth, PGR", "policy", "strategy", "declared");
    let mut kept = true;
    for (name, design) in designs {
        println!("{name}");
        for policy in [Policy::Ladder { step: 0.05 }, Policy::Exact] {
            for strategy in Strategy::ALL {
                let found = spread(&design, policy, strategy, count, threads);
                kept &= f64::from(found.declared) <= 0.064 * f64::from(count);
                let (policy, strategy) = (format!("{policy:?}"), format!("{strategy:?}"));
                println!("  {policy:28} {strategy:8} {:8}  {:+.3}", found.declared, found.inflation);
            }
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The same studies whatever the number of threads.
fn spread(design: &Design, policy: Policy, strategy: Strategy, count: u32, threads: u32) -> Found {
    let share = |thread: u32| {
        let first = count / threads * thread;
        let own = if thread + 1 == threads { count - first } else { count / threads };
        let found = studies(design, policy, strategy, u64::from(first), own, REPLICATES);
        (found.declared, found.inflation * f64::from(own) / f64::from(count))
    };
    let parts: Vec<(u32, f64)> = std::thread::scope(|scope| {
        let share = &share;
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        handles.into_iter().map(|handle| handle.join().expect("a share of the studies")).collect()
    });
    Found { declared: parts.iter().map(|part| part.0).sum(), inflation: parts.iter().map(|part| part.1).sum() }
}
