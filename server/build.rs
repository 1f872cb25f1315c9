//! The pages' files are embedded from `target/site`. A bare clone has none yet: an empty folder lets it compile.

use std::path::Path;

fn main() {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    if let Err(error) = std::fs::create_dir_all(&site) {
        println!("cargo::warning=cannot create {}: {error}", site.display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    // Also where it is gone again: what embeds it would not compile without it, and must be compiled anew with it.
    println!("cargo::rerun-if-changed={}", site.display());
}
