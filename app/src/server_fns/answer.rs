//! Asking a server function, and holding what it answers.
//!
//! Question and answer are held as the texts they travel in ([`crate::rows`]), and read where they are shown: what waits
//! for an answer, asks again and takes it over from the page is compiled once, not for every kind of answer.

use crate::error::AppError;
use crate::platform::{self, Way};
use crate::rows::{self, Unfit};
use leptos::prelude::{AnyView, Resource};
use leptos::server::codee::{Decoder, Encoder};
use leptos::server_fn::ServerFn;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;

/// The text of an answer, or why there is none.
pub type Told = Result<Arc<str>, AppError>;

/// What a server function answers, as pages hold it.
pub struct Answer<T> {
    told: Resource<Told, ToldText>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Answer<T> {}

/// Asks a server function, and again whenever what it is asked changes. The first answer comes with the page.
pub fn answer<F>(asked: impl Fn() -> F + Send + Sync + 'static) -> Answer<F::Output>
where
    F: ServerFn<Error = AppError> + Serialize + DeserializeOwned + 'static,
    F::Output: Serialize,
{
    // A question of strings and days always fits.
    let question = move || rows::write(&asked()).unwrap_or_default();
    Answer { told: told(Box::new(question), platform::way::<F>()), kind: PhantomData }
}

fn told(question: Box<dyn Fn() -> String + Send + Sync>, way: Way) -> Resource<Told, ToldText> {
    Resource::new_with_options(question, move |question| platform::ask(way, question), false)
}

impl<T: DeserializeOwned + 'static> Answer<T> {
    /// The answer, once it is there.
    pub async fn read(self) -> Result<T, AppError> {
        read(self.told.await)
    }

    /// What is shown of it.
    pub fn shown(self, show: impl Fn(Result<T, AppError>) -> AnyView + Send + Sync + 'static) -> Shown {
        Shown { told: self.told, show: Arc::new(move |told| show(read(told))) }
    }

    /// Asks the same again.
    pub fn ask_again(self) {
        self.told.refetch();
    }
}

fn read<T: DeserializeOwned>(told: Told) -> Result<T, AppError> {
    rows::read(&told?).map_err(|_| AppError::Outdated)
}

/// What is to be shown of an answer, of whatever kind.
#[derive(Clone)]
pub struct Shown {
    told: Resource<Told, ToldText>,
    show: Arc<dyn Fn(Told) -> AnyView + Send + Sync>,
}

impl Shown {
    /// Its view, once it is there.
    pub async fn view(self) -> AnyView {
        (self.show)(self.told.await)
    }
}

/// How a page brings an answer with it: the text itself, or an error behind a mark with which no rows begin.
struct ToldText;

const ERROR_MARK: char = '!';

impl Encoder<Told> for ToldText {
    type Error = Unfit;
    type Encoded = String;

    fn encode(told: &Told) -> Result<String, Unfit> {
        match told {
            Ok(text) => Ok(text.as_ref().to_owned()),
            Err(error) => Ok(format!("{ERROR_MARK}{}", rows::write(error)?)),
        }
    }
}

impl Decoder<Told> for ToldText {
    type Error = Unfit;
    type Encoded = str;

    fn decode(text: &str) -> Result<Told, Unfit> {
        match text.strip_prefix(ERROR_MARK) {
            Some(error) => Ok(Err(rows::read(error)?)),
            None => Ok(Ok(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_brings_answers_and_errors_with_it() {
        let refused = AppError::Refused { problem: "!\"no\"".to_owned() };
        for told in [Ok("[1,\"!\"]".into()), Ok("null".into()), Err(AppError::NotFound), Err(refused)] {
            let text = ToldText::encode(&told).expect("fits");
            assert_eq!(ToldText::decode(&text), Ok(told));
        }
    }

    #[test]
    fn an_answer_that_is_not_understood_asks_to_reload() {
        assert_eq!(read::<String>(Ok("[1]".into())), Err(AppError::Outdated));
        assert_eq!(read::<i64>(Ok("1".into())), Ok(1));
        assert_eq!(read::<i64>(Err(AppError::NotFound)), Err(AppError::NotFound));
    }
}
