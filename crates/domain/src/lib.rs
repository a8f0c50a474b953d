//! The nouns of a study and the arithmetic on them: PGR, intervals, tests. No files, network or clock.
