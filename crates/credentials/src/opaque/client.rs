//! The client's side, for scripts that hold a password and for tests.

use opaque_ke::{ClientLoginFinishParameters, ClientRegistrationFinishParameters, Identifiers};
use stdx::Rng;

use super::{
    Chance, KeyStretching, LoginFinish, LoginRequest, LoginResponse, OpaqueError,
    RegistrationRecord, RegistrationRequest, RegistrationResponse, SessionKey, Suite, of_message,
};
use crate::Password;

/// A registration that was begun.
pub struct ClientRegistration {
    password: Password,
    inner: opaque_ke::ClientRegistration<Suite>,
}

/// A login that was begun.
pub struct ClientLogin {
    password: Password,
    inner: opaque_ke::ClientLogin<Suite>,
}

impl ClientRegistration {
    /// The first message.
    pub fn start(
        password: Password,
        rng: &Rng,
    ) -> Result<(Self, RegistrationRequest), OpaqueError> {
        let started = opaque_ke::ClientRegistration::start(&mut Chance(rng), password.as_bytes())
            .map_err(of_message)?;
        let inner = started.state;
        Ok((
            Self { password, inner },
            RegistrationRequest(started.message),
        ))
    }

    /// The second message; as costly as `stretching` says.
    pub fn finish(
        self,
        response: RegistrationResponse,
        stretching: KeyStretching,
        rng: &Rng,
    ) -> Result<RegistrationRecord, OpaqueError> {
        let settings =
            ClientRegistrationFinishParameters::new(Identifiers::default(), Some(&stretching));
        self.inner
            .finish(
                &mut Chance(rng),
                self.password.as_bytes(),
                response.0,
                settings,
            )
            .map(|result| RegistrationRecord(result.message))
            .map_err(of_message)
    }
}

impl ClientLogin {
    /// The first message (KE1).
    pub fn start(password: Password, rng: &Rng) -> Result<(Self, LoginRequest), OpaqueError> {
        let started = opaque_ke::ClientLogin::start(&mut Chance(rng), password.as_bytes())
            .map_err(of_message)?;
        let inner = started.state;
        Ok((Self { password, inner }, LoginRequest(started.message)))
    }

    /// The second message (KE3) and the key that the server comes to as well; as costly as
    /// `stretching` says.
    ///
    /// [`OpaqueError::Refused`] says that the password is wrong, or that the server does not hold
    /// the record.
    pub fn finish(
        self,
        response: LoginResponse,
        stretching: KeyStretching,
        rng: &Rng,
    ) -> Result<(LoginFinish, SessionKey), OpaqueError> {
        let settings =
            ClientLoginFinishParameters::new(None, Identifiers::default(), Some(&stretching));
        let result = self
            .inner
            .finish(
                &mut Chance(rng),
                self.password.as_bytes(),
                response.0,
                settings,
            )
            .map_err(of_message)?;
        let key = SessionKey::new(&result.session_key);
        Ok((LoginFinish(result.message), key))
    }
}

impl std::fmt::Debug for ClientRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientRegistration(***)")
    }
}

impl std::fmt::Debug for ClientLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientLogin(***)")
    }
}
