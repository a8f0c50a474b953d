//! Nine vague directions to start from, for every kind of researcher. A direction tilts the first ideas; what the board says soon
//! outweighs it.

/// The directions, in the order in which they are given to researchers that have none.
pub const DIRECTIONS: [&str; 9] = [
    "Find out which of the teacher's labels can be trusted, and reweight or filter.",
    "Elicit what the student already knows before it is taught anything.",
    "Be consistent: ensembles, both orders, students that learn from their own labels.",
    "Model the teacher's noise, and infer a posterior of the truth.",
    "Look inside: what do the student's representations say of the labels?",
    "Change the loss so that the student may disagree with its teacher.",
    "Distil in rounds: a student teaches the next one.",
    "Think in a curriculum: which rows first, and for how long?",
    "Let compositions compete by evolution, and keep what survives.",
];
