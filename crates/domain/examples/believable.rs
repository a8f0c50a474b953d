//! The promises of the statistics, by simulation: 1,000 null studies per design, and the power curve.
//!
//! `cargo run --release -p aar-domain --example believable`

#![allow(clippy::print_stdout)]

use aar_domain::stats::simulate::Design;
use std::process::ExitCode;

fn main() -> ExitCode {
    let designs = [
        ("default study", Design::default()),
        ("large seed noise", Design { luck: 0.3, ..Design::default() }),
        ("no seed noise", Design { luck: 0.0, ..Design::default() }),
        ("methods of different taste", Design { taste: 0.4, ..Design::default() }),
        ("clusters of four", Design { cluster: 4, feedback: 300, selection: 1000, ..Design::default() }),
    ];
    let mut kept = true;
    println!("null studies that declare a method better (of 1,000; promised: at most 64)");
    for (name, design) in designs {
        let found = design.false_declarations(1000, 400);
        kept &= found <= 64;
        println!("  {name:28} {found:4}");
    }
    println!("power to find a true gain of 0.2 PGR (200 studies each; promised at closing sizes: 0.80)");
    println!("  {:>6} {:>6} {:>6} {:>7}", "gap", "seeds", "items", "power");
    for ceiling in [0.73, 0.78, 0.83] {
        for (final_seeds, selection) in [(5, 2000), (10, 2000), (5, 4000), (10, 4000), (20, 4000)] {
            let design = Design { ceiling, final_seeds, selection, ..Design::default() };
            let power = design.power(0.2, 200, 400);
            kept &= power >= 0.8 || final_seeds != 10 || selection != 4000 || ceiling < 0.78;
            println!("  {:>6.2} {final_seeds:>6} {selection:>6} {power:>7.2}", ceiling - design.weak);
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
