//! How well a new password resists guessing, by zxcvbn's count of guesses.

use zxcvbn::feedback::{Feedback, Suggestion, Warning};
use zxcvbn::zxcvbn;

use crate::Password;

/// Words of one's own that are looked at, and characters of each.
const MOST_WORDS: usize = 50;
const MOST_WORD_CHARS: usize = 100;

/// How many guesses a password outlasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Score {
    /// Fewer than a thousand: guessed through any door.
    Guessed = 0,
    /// Fewer than a million: guessed where attempts are not limited.
    Weak = 1,
    /// Fewer than a hundred million: outlasts a login page.
    Fair = 2,
    /// Fewer than ten thousand million: outlasts a stolen database for a while.
    Good = 3,
    /// More.
    Strong = 4,
}

/// What is asked of a new password beyond [`Password::new`], which bounds its length to
/// [`Password::MAX_BYTES`] and refuses what everybody tries first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_chars: usize,
    min_score: Score,
}

/// A policy that no password of a person meets, or that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the least length of a password is between 8 and 64 characters")]
pub struct PasswordPolicyError;

/// Why a password is refused, and what would help; every sentence is fit for who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer characters than the policy asks for.
    #[error("a password has at least {0} characters")]
    TooShort(usize),
    /// It takes too few guesses.
    #[error("this password is guessed too easily")]
    Guessable {
        /// What it reaches.
        score: Score,
        /// What the policy asks for.
        wanted: Score,
        /// What is wrong with it, if that can be said.
        reason: Option<Hint>,
        /// What would make it better.
        advice: Vec<Hint>,
    },
}

/// A sentence, and the name under which pages find its translations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Stable; small letters and underscores.
    pub key: &'static str,
    /// In English.
    pub text: &'static str,
}

impl Score {
    /// 0 to 4, as a meter shows it.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Reads a setting.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [
            Self::Guessed,
            Self::Weak,
            Self::Fair,
            Self::Good,
            Self::Strong,
        ]
        .into_iter()
        .find(|score| score.number() == number)
    }
}

impl PasswordPolicy {
    /// Eight characters (ASVS 5.0 6.2.1) and a score of three, which zxcvbn's authors advise.
    pub const DEFAULT: Self = Self {
        min_chars: Password::MIN_CHARS,
        min_score: Score::Good,
    };

    /// A policy; more than 64 characters may not be asked for, or people write them down.
    pub fn new(min_chars: usize, min_score: Score) -> Result<Self, PasswordPolicyError> {
        match (Password::MIN_CHARS..=64).contains(&min_chars) {
            true => Ok(Self {
                min_chars,
                min_score,
            }),
            false => Err(PasswordPolicyError),
        }
    }

    /// The fewest characters.
    #[must_use]
    pub fn min_chars(self) -> usize {
        self.min_chars
    }

    /// The least score.
    #[must_use]
    pub fn min_score(self) -> Score {
        self.min_score
    }

    /// Judges a new password; gives its score to be shown.
    ///
    /// `own_words` are what a guesser who knows the person tries first: address, user name, names,
    /// the service's title. Only the first 100 characters count, which bounds the work to some
    /// milliseconds.
    pub fn judge(self, password: &Password, own_words: &[&str]) -> Result<Score, WeakPassword> {
        let text = password.as_str();
        if text.chars().count() < self.min_chars {
            return Err(WeakPassword::TooShort(self.min_chars));
        }
        let words = words(own_words);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = zxcvbn(text, &words);
        let score = score(found.score());
        if score >= self.min_score {
            return Ok(score);
        }
        Err(WeakPassword::Guessable {
            score,
            wanted: self.min_score,
            reason: found.feedback().and_then(Feedback::warning).map(reason),
            advice: found.feedback().map_or_else(Vec::new, |feedback| {
                feedback.suggestions().iter().copied().map(advice).collect()
            }),
        })
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Each word and its parts: of `ada.lovelace@example.org` also `ada`, `lovelace`, `example`.
fn words(own: &[&str]) -> Vec<String> {
    let mut words = Vec::new();
    for word in own {
        let word: String = word.chars().take(MOST_WORD_CHARS).collect();
        let parts = word.split(|c: char| !c.is_alphanumeric());
        words.extend(
            parts
                .filter(|part| part.chars().count() >= 3)
                .map(str::to_lowercase),
        );
        words.push(word.to_lowercase());
    }
    words.truncate(MOST_WORDS);
    words
}

fn score(score: zxcvbn::Score) -> Score {
    match score {
        zxcvbn::Score::Zero => Score::Guessed,
        zxcvbn::Score::One => Score::Weak,
        zxcvbn::Score::Two => Score::Fair,
        zxcvbn::Score::Three => Score::Good,
        // Four, and what a later release may add above it.
        _ => Score::Strong,
    }
}

fn reason(warning: Warning) -> Hint {
    let (key, text) = match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess => {
            ("row_of_keys", "Rows of keys are guessed easily.")
        }
        Warning::ShortKeyboardPatternsAreEasyToGuess => (
            "keyboard_pattern",
            "Short keyboard patterns are guessed easily.",
        ),
        Warning::RepeatsLikeAaaAreEasyToGuess => (
            "repeated_character",
            "Repeats like \"aaa\" are guessed easily.",
        ),
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => (
            "repeated_text",
            "\"abcabcabc\" is hardly harder to guess than \"abc\".",
        ),
        Warning::ThisIsATop10Password => ("top_10", "This is one of the ten most used passwords."),
        Warning::ThisIsATop100Password => {
            ("top_100", "This is one of the hundred most used passwords.")
        }
        Warning::ThisIsACommonPassword => ("common", "This is a much used password."),
        Warning::ThisIsSimilarToACommonlyUsedPassword => {
            ("similar_to_common", "This is like a much used password.")
        }
        Warning::SequencesLikeAbcAreEasyToGuess => (
            "sequence",
            "Sequences like \"abc\" or \"6543\" are guessed easily.",
        ),
        Warning::RecentYearsAreEasyToGuess => ("year", "Recent years are guessed easily."),
        Warning::AWordByItselfIsEasyToGuess => ("one_word", "A single word is guessed easily."),
        Warning::DatesAreOftenEasyToGuess => ("date", "Dates are guessed easily."),
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess => {
            ("name", "Names alone are guessed easily.")
        }
        Warning::CommonNamesAndSurnamesAreEasyToGuess => {
            ("common_name", "Common names are guessed easily.")
        }
    };
    Hint { key, text }
}

fn advice(suggestion: Suggestion) -> Hint {
    let (key, text) = match suggestion {
        Suggestion::UseAFewWordsAvoidCommonPhrases => {
            ("few_words", "Use a few words that do not belong together.")
        }
        Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => (
            "no_need_for_symbols",
            "Symbols, digits and capitals are not needed.",
        ),
        Suggestion::AddAnotherWordOrTwo => {
            ("another_word", "Add another word or two, uncommon ones.")
        }
        Suggestion::CapitalizationDoesntHelpVeryMuch => {
            ("capitals_help_little", "Capitals do not help much.")
        }
        Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => (
            "all_capitals_help_little",
            "All capitals are guessed almost as easily as small letters.",
        ),
        Suggestion::ReversedWordsArentMuchHarderToGuess => (
            "reversed_helps_little",
            "Reversed words are hardly harder to guess.",
        ),
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => (
            "substitutes_help_little",
            "Writing '@' for 'a' and the like does not help much.",
        ),
        Suggestion::UseALongerKeyboardPatternWithMoreTurns => (
            "longer_pattern",
            "Use a longer keyboard pattern with more turns.",
        ),
        Suggestion::AvoidRepeatedWordsAndCharacters => {
            ("avoid_repeats", "Avoid repeated words and characters.")
        }
        Suggestion::AvoidSequences => ("avoid_sequences", "Avoid sequences."),
        Suggestion::AvoidRecentYears => ("avoid_years", "Avoid recent years."),
        Suggestion::AvoidYearsThatAreAssociatedWithYou => {
            ("avoid_own_years", "Avoid years that have to do with you.")
        }
        Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => (
            "avoid_own_dates",
            "Avoid dates and years that have to do with you.",
        ),
    };
    Hint { key, text }
}
