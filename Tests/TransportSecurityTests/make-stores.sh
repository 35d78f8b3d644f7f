#!/usr/bin/env bash
# Makes the stores that the tests of this directory read, with OpenSSL 3 and the keytool of Java 17. They are committed,
# because other versions of these programs write other ciphers; the keys protect nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/Stores"
rm -f ./*

openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj '/O=zkcli/CN=Test CA' -keyout ca-key.pem -out ca.pem
openssl req -newkey rsa:2048 -nodes -subj '/C=DE/O=Example, Inc./OU=a\+b/CN=server' -keyout server-key.pem -out server.csr
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca-key.pem -days 36500 -set_serial 7 -out server.pem -extfile <(
  echo 'subjectAltName=DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1,email:a@example.org,URI:urn:x')
rm server.csr ca-key.pem
cat server.pem ca.pem > chain.pem
cat ca.pem server.pem server-key.pem > all.pem
openssl pkcs8 -topk8 -in server-key.pem -passout pass:secret1 -out server-key-encrypted.pem
openssl rsa -in server-key.pem -aes128 -passout pass:secret1 -traditional -out server-key-traditional.pem
openssl pkcs12 -export -inkey server-key.pem -in chain.pem -passout pass:secret1 -out modern.p12
openssl pkcs12 -export -inkey server-key.pem -in chain.pem -passout pass:secret1 -legacy -out legacy.p12
openssl pkcs12 -export -inkey server-key.pem -in ca.pem -in chain.pem -passout pass: -out empty-password.p12
openssl pkcs12 -export -inkey server-key.pem -in chain.pem -passout pass:secret1 -nomac -out no-mac.p12
openssl pkcs12 -export -inkey server-key.pem -in chain.pem -passout pass:secret1 -keypbe NONE -certpbe NONE -out plain.p12
openssl pkcs12 -export -nokeys -in ca.pem -passout pass:secret1 -out no-key.p12
# One that is checked quickly, to be damaged many times.
openssl pkcs12 -export -inkey server-key.pem -in chain.pem -passout pass:secret1 -iter 1 -out quick.p12
# A key with the certificate of another one, which NIOSSL ends the process for.
openssl genrsa 2048 2> /dev/null > other-key.pem
keytool -importcert -noprompt -alias ca -file ca.pem -storepass secret1 -keystore trust.p12
keytool -importcert -noprompt -alias ca -file ca.pem -storepass secret1 -storetype JKS -keystore trust.jks
keytool -J-Dkeystore.pkcs12.legacy -importcert -noprompt -alias ca -file ca.pem -storepass secret1 \
  -keystore trust-legacy.p12
# PKCS#12 under the name of a Java key store, as Java makes it by default.
keytool -importkeystore -noprompt -srckeystore modern.p12 -srcstorepass secret1 -destkeystore renamed.jks \
  -deststoretype PKCS12 -deststorepass secret1
keytool -importkeystore -noprompt -srckeystore modern.p12 -srcstorepass secret1 -destkeystore server.jks \
  -deststoretype JKS -deststorepass secret1
cp server.jks other-key-password.jks
keytool -keypasswd -alias 1 -keystore other-key-password.jks -storepass secret1 -keypass secret1 -new secret2
keytool -importkeystore -noprompt -srckeystore modern.p12 -srcstorepass secret1 -destkeystore server.jceks \
  -deststoretype JCEKS -deststorepass secret1
