//! The suite gives the bytes of RFC 9807, appendix C, C.1.1 and C.2.1 (ristretto255).
//!
//! The vectors have the context `OPAQUE-POC` and no stretching, where Pilaster has an empty context
//! and Argon2id. So two things are checked. Through our own steps: all that depends on neither,
//! which is the registration response and the first 256 of the 320 bytes of KE2 (the other 64 are a
//! MAC over the context). And the suite's own oblivious function and key exchange with the
//! vectors' context and stretching: every message, the export key and the session key.

use std::collections::VecDeque;

use opaque_ke::rand::{CryptoRng, Error, RngCore};
use opaque_ke::{
    ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, Identifiers, ServerLogin, ServerLoginParameters,
    ServerRegistration,
};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::opaque::{
    Exchange, LoginRequest, Oprf, RegistrationRecord, RegistrationRequest, ServerSetup, SetupId,
};

/// The suite as the vectors have it.
struct VectorSuite;

impl opaque_ke::CipherSuite for VectorSuite {
    type OprfCs = Oprf;
    type KeyExchange = Exchange;
    type Ksf = opaque_ke::ksf::Identity;
}

/// Gives the bytes that it was made with, in that order, and nothing else.
struct Script(VecDeque<u8>);

impl Script {
    fn new(parts: &[&[u8]]) -> Self {
        Self(parts.concat().into())
    }
}

impl RngCore for Script {
    fn next_u32(&mut self) -> u32 {
        no_number()
    }

    fn next_u64(&mut self) -> u64 {
        no_number()
    }

    fn fill_bytes(&mut self, target: &mut [u8]) {
        for byte in target {
            *byte = self.0.pop_front().expect("the script is long enough");
        }
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(target);
        Ok(())
    }
}

impl CryptoRng for Script {}

fn no_number<T>() -> T {
    panic!("OPAQUE draws bytes, not numbers")
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

const CREDENTIAL: &[u8] = b"1234";
const PASSWORD: &[u8] = b"CorrectHorseBatteryStaple";
const CONTEXT: &[u8] = b"OPAQUE-POC";

const OPRF_SEED: &str = "f433d0227b0b9dd54f7c4422b600e764e47fb503f1f9a0f0a47c6606b054a7fd
    c65347f1a08f277e22358bbabe26f823fca82c7848e9a75661f4ec5d5c1989ef";
const SERVER_PRIVATE_KEY: &str = "47451a85372f8b3537e249d7b54188091fb18edde78094b43e2ba42b5eb89f0d";
const SERVER_PUBLIC_KEY: &str = "b2fe7af9f48cc502d016729d2fe25cdd433f2c4bc904660b2a382c9b79df1a78";
const ENVELOPE_NONCE: &str = "ac13171b2f17bc2c74997f0fce1e1f35bec6b91fe2e12dbd323d23ba7a38dfec";
const MASKING_NONCE: &str = "38fe59af0df2c79f57b8780278f5ae47355fe1f817119041951c80f612fdfc6d";
const SERVER_NONCE: &str = "71cd9960ecef2fe0d0f7494986fa3d8b2bb01963537e60efb13981e138e3d4a1";
const CLIENT_NONCE: &str = "da7e07376d6d6f034cfa9bb537d11b8c6b4238c334333d1f0aebb380cae6a6cc";
const CLIENT_KEYSHARE_SEED: &str =
    "82850a697b42a505f5b68fcdafce8c31f0af2b581f063cf1091933541936304b";
const SERVER_KEYSHARE_SEED: &str =
    "05a4f54206eef1ba2f615bc0aa285cb22f26d1153b5b40a1e85ff80da12f982f";
const BLIND_REGISTRATION: &str = "76cfbfe758db884bebb33582331ba9f159720ca8784a2a070a265d9c2d6abe01";
const BLIND_LOGIN: &str = "6ecc102d2e7a7cf49617aad7bbe188556792d4acd60a1a8a8d2b65d4b0790308";
const REGISTRATION_REQUEST: &str =
    "5059ff249eb1551b7ce4991f3336205bde44a105a032e747d21bf382e75f7a71";
const REGISTRATION_RESPONSE: &str =
    "7408a268083e03abc7097fc05b587834539065e86fb0c7b6342fcf5e01e5b019
    b2fe7af9f48cc502d016729d2fe25cdd433f2c4bc904660b2a382c9b79df1a78";
const REGISTRATION_UPLOAD: &str = "76a845464c68a5d2f7e442436bb1424953b17d3e2e289ccbaccafb57ac5c3675
    1ac5844383c7708077dea41cbefe2fa15724f449e535dd7dd562e66f5ecfb958
    64eadddec9db5874959905117dad40a4524111849799281fefe3c51fa82785c5
    ac13171b2f17bc2c74997f0fce1e1f35bec6b91fe2e12dbd323d23ba7a38dfec
    634b0f5b96109c198a8027da51854c35bee90d1e1c781806d07d49b76de6a28b
    8d9e9b6c93b9f8b64d16dddd9c5bfb5fea48ee8fd2f75012a8b308605cdd8ba5";
const KE1: &str = "c4dedb0ba6ed5d965d6f250fbe554cd45cba5dfcce3ce836e4aee778aa3cd44d
    da7e07376d6d6f034cfa9bb537d11b8c6b4238c334333d1f0aebb380cae6a6cc
    6e29bee50701498605b2c085d7b241ca15ba5c32027dd21ba420b94ce60da326";
const KE2: &str = "7e308140890bcde30cbcea28b01ea1ecfbd077cff62c4def8efa075aabcbb471
    38fe59af0df2c79f57b8780278f5ae47355fe1f817119041951c80f612fdfc6d
    d6ec60bcdb26dc455ddf3e718f1020490c192d70dfc7e403981179d8073d1146
    a4f9aa1ced4e4cd984c657eb3b54ced3848326f70331953d91b02535af44d9fe
    dc80188ca46743c52786e0382f95ad85c08f6afcd1ccfbff95e2bdeb015b166c
    6b20b92f832cc6df01e0b86a7efd92c1c804ff865781fa93f2f20b446c8371b6
    71cd9960ecef2fe0d0f7494986fa3d8b2bb01963537e60efb13981e138e3d4a1
    c4f62198a9d6fa9170c42c3c71f1971b29eb1d5d0bd733e40816c91f7912cc4a
    660c48dae03e57aaa38f3d0cffcfc21852ebc8b405d15bd6744945ba1a93438a
    162b6111699d98a16bb55b7bdddfe0fc5608b23da246e7bd73b47369169c5c90";
const KE3: &str = "4455df4f810ac31a6748835888564b536e6da5d9944dfea9e34defb9575fe5e2
    661ef61d2ae3929bcf57e53d464113d364365eb7d1a57b629707ca48da18e442";
const EXPORT_KEY: &str = "1ef15b4fa99e8a852412450ab78713aad30d21fa6966c9b8c9fb3262a970dc62
    950d4dd4ed62598229b1b72794fc0335199d9f7fcc6eaedde92cc04870e63f16";
const SESSION_KEY: &str = "42afde6f5aca0cfa5c163763fbad55e73a41db6b41bc87b8e7b62214a8eedc67
    31fa3cb857d657ab9b3764b89a84e91ebcb4785166fbb02cedfcbdfda215b96f";

/// C.2.1: what nobody is answered.
mod fake {
    pub(super) const OPRF_SEED: &str =
        "743fc168d1f826ad43738933e5adb23da6fb95f95a1b069f0daa0522d0a78b61
        7f701fc6aa46d3e7981e70de7765dfcd6b1e13e3369a582eb8dc456b10aa53b0";
    pub(super) const SERVER_PRIVATE_KEY: &str =
        "c788585ae8b5ba2942b693b849be0c0426384e41977c18d2e81fbe30fd7c9f06";
    pub(super) const CLIENT_PUBLIC_KEY: &str =
        "84f43f9492e19c22d8bdaa4447cc3d4db1cdb5427a9f852c4707921212c36251";
    pub(super) const MASKING_KEY: &str =
        "39ebd51f0e39a07a1c2d2431995b0399bca9996c5d10014d6ebab4453dc10ce5
        cef38ed3df6e56bfff40c2d8dd4671c2b4cf63c3d54860f31fe40220d690bb71";
    pub(super) const MASKING_NONCE: &str =
        "9c035896a043e70f897d87180c543e7a063b83c1bb728fbd189c619e27b6e5a6";
    pub(super) const SERVER_NONCE: &str =
        "1e10f6eeab2a7a420bf09da9b27a4639645622c46358de9cf7ae813055ae2d12";
    pub(super) const SERVER_KEYSHARE_SEED: &str =
        "360b0937f47d45f6123a4d8f0d0c0814b6120d840ebb8bc5b4f6b62df07f78c2";
    pub(super) const KE1: &str = "b0a26dcaca2230b8f5e4b1bcab9c84b586140221bb8b2848486874b0be448905
        42d4e61ed3f8d64cdd3b9d153343eca15b9b0d5e388232793c6376bd2d9cfd0a
        b641d7f20a245a09f1d4dbb6e301661af7f352beb0791d055e48d3645232f77f";
    pub(super) const KE2_BEFORE_THE_MAC: &str =
        "928f79ad8df21963e91411b9f55165ba833dea918f441db967cdc09521d22925
        9c035896a043e70f897d87180c543e7a063b83c1bb728fbd189c619e27b6e5a6
        32b5ab1bff96636144faa4f9f9afaac75dd88ea99cf5175902ae3f3b2195693f
        165f11929ba510a5978e64dcdabecbd7ee1e4380ce270e58fea58e6462d92964
        a1aaef72698bca1c673baeb04cc2bf7de5f3c2f5553464552d3a0f7698a9ca7f
        9c5e70c6cb1f706b2f175ab9d04bbd13926e816b6811a50b4aafa9799d5ed797
        1e10f6eeab2a7a420bf09da9b27a4639645622c46358de9cf7ae813055ae2d12
        98251c5ba55f6b0b2d58d9ff0c88fe4176484be62a96db6e2a8c4d431bd1bf27";
}

/// Seed, private key, and as the public key for nobody any point.
fn setup_bytes(seed: &str, private_key: &str) -> Vec<u8> {
    [hex(seed), hex(private_key), hex(SERVER_PUBLIC_KEY)].concat()
}

/// What the server draws: the fake record's masking key, which is not used, then the three values.
fn server_script(masking_nonce: &str, keyshare_seed: &str, nonce: &str) -> Script {
    Script::new(&[
        &[0; 64],
        &hex(masking_nonce),
        &hex(keyshare_seed),
        &hex(nonce),
    ])
}

fn text(hex_text: &str) -> String {
    URL_SAFE_NO_PAD.encode(hex(hex_text))
}

// req: OP-3
#[test]
fn our_registration_response_is_the_rfcs() {
    let bytes = setup_bytes(OPRF_SEED, SERVER_PRIVATE_KEY);
    let setup = ServerSetup::from_bytes(SetupId(1), &bytes).unwrap();
    let request = RegistrationRequest::from_base64url(&text(REGISTRATION_REQUEST)).unwrap();
    let response = setup.evaluate(CREDENTIAL, request).unwrap();
    assert_eq!(response.to_base64url(), text(REGISTRATION_RESPONSE));
}

#[test]
fn our_answer_to_somebody_is_the_rfcs_up_to_the_mac() {
    let bytes = setup_bytes(OPRF_SEED, SERVER_PRIVATE_KEY);
    let setup = ServerSetup::from_bytes(SetupId(1), &bytes).unwrap();
    let record = RegistrationRecord::from_base64url(&text(REGISTRATION_UPLOAD)).unwrap();
    let request = LoginRequest::from_base64url(&text(KE1)).unwrap();
    let mut script = server_script(MASKING_NONCE, SERVER_KEYSHARE_SEED, SERVER_NONCE);
    let (response, _) = setup
        .answer(CREDENTIAL, &record, request, &mut script)
        .unwrap();
    let answer = URL_SAFE_NO_PAD.decode(response.to_base64url()).unwrap();
    assert_eq!(answer[..256], hex(KE2)[..256]);
    // The context differs, so the MAC has to.
    assert_ne!(answer[256..], hex(KE2)[256..]);
}

#[test]
fn our_answer_from_a_fake_record_is_the_rfcs_up_to_the_mac() {
    let bytes = setup_bytes(fake::OPRF_SEED, fake::SERVER_PRIVATE_KEY);
    let setup = ServerSetup::from_bytes(SetupId(1), &bytes).unwrap();
    let record = [
        hex(fake::CLIENT_PUBLIC_KEY),
        hex(fake::MASKING_KEY),
        vec![0; 96],
    ]
    .concat();
    let record = RegistrationRecord::from_base64url(&URL_SAFE_NO_PAD.encode(record)).unwrap();
    let request = LoginRequest::from_base64url(&text(fake::KE1)).unwrap();
    let mut script = server_script(
        fake::MASKING_NONCE,
        fake::SERVER_KEYSHARE_SEED,
        fake::SERVER_NONCE,
    );
    let (response, _) = setup
        .answer(CREDENTIAL, &record, request, &mut script)
        .unwrap();
    let answer = URL_SAFE_NO_PAD.decode(response.to_base64url()).unwrap();
    assert_eq!(answer[..256], hex(fake::KE2_BEFORE_THE_MAC));
}

// req: OP-3
#[test]
fn the_suites_function_and_exchange_give_every_message_and_key_of_the_rfc() {
    let bytes = setup_bytes(OPRF_SEED, SERVER_PRIVATE_KEY);
    let setup = opaque_ke::ServerSetup::<VectorSuite>::deserialize(&bytes).unwrap();
    // A random scalar is 64 bytes modulo the group's order.
    let wide = [0; 32];
    let mut script = Script::new(&[&hex(BLIND_REGISTRATION), &wide]);
    let client = ClientRegistration::<VectorSuite>::start(&mut script, PASSWORD).unwrap();
    assert_eq!(client.message.serialize()[..], hex(REGISTRATION_REQUEST));
    let server = ServerRegistration::start(&setup, client.message, CREDENTIAL).unwrap();
    assert_eq!(server.message.serialize()[..], hex(REGISTRATION_RESPONSE));
    let upload = client
        .state
        .finish(
            &mut Script::new(&[&hex(ENVELOPE_NONCE)]),
            PASSWORD,
            server.message,
            ClientRegistrationFinishParameters::default(),
        )
        .unwrap();
    assert_eq!(upload.message.serialize()[..], hex(REGISTRATION_UPLOAD));
    assert_eq!(upload.export_key[..], hex(EXPORT_KEY));

    let mut script = Script::new(&[
        &hex(BLIND_LOGIN),
        &wide,
        &hex(CLIENT_KEYSHARE_SEED),
        &hex(CLIENT_NONCE),
    ]);
    let client = ClientLogin::<VectorSuite>::start(&mut script, PASSWORD).unwrap();
    assert_eq!(client.message.serialize()[..], hex(KE1));
    let parameters = || ServerLoginParameters {
        context: Some(CONTEXT),
        identifiers: Identifiers::default(),
    };
    let server = ServerLogin::start(
        &mut server_script(MASKING_NONCE, SERVER_KEYSHARE_SEED, SERVER_NONCE),
        &setup,
        Some(ServerRegistration::finish(upload.message)),
        client.message,
        CREDENTIAL,
        parameters(),
    )
    .unwrap();
    assert_eq!(server.message.serialize()[..], hex(KE2));
    let finish = client
        .state
        .finish(
            &mut Script::new(&[]),
            PASSWORD,
            server.message,
            ClientLoginFinishParameters::new(Some(CONTEXT), Identifiers::default(), None),
        )
        .unwrap();
    assert_eq!(finish.message.serialize()[..], hex(KE3));
    assert_eq!(finish.session_key[..], hex(SESSION_KEY));
    assert_eq!(finish.export_key[..], hex(EXPORT_KEY));
    let proved = server.state.finish(finish.message, parameters()).unwrap();
    assert_eq!(proved.session_key[..], hex(SESSION_KEY));
}
