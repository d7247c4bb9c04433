//! `--engine`: how conditions are evaluated.

use flow_runtime::engine::Engine;
use flow_runtime::vm::Evaluation;

/// How conditions are evaluated.
#[derive(Clone, Copy, clap::Args)]
pub struct Choice {
    /// How conditions are evaluated; the messages are the same
    #[arg(long = "engine", value_name = "HOW", value_enum, default_value_t)]
    how: How,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum How {
    /// Without native code
    Interpret,
    /// As native code from the start; an error where there is none
    Jit,
    /// What is evaluated often becomes native code, where there is any
    #[default]
    Auto,
}

impl Choice {
    /// The engine that does so.
    ///
    /// # Errors
    /// With a message, when there is no native code here and only that will do.
    pub fn of(self, engine: Engine) -> Result<Engine, String> {
        let how = match self.how {
            How::Interpret => Evaluation::Interpret,
            How::Jit => Evaluation::Jit,
            How::Auto => Evaluation::Auto,
        };
        engine.evaluated(how).map_err(|why| format!("--engine jit: {why}; --engine auto interprets instead"))
    }
}
