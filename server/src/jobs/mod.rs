//! What the server does by itself, besides answering. Nothing depends on when a job runs: reads count what is due, and
//! writes book it first.

pub mod due;
