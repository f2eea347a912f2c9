"""The words of unwanted messages, by what they are about: English, Spanish, Portuguese, Indonesian, Russian.

One of them alone says little; `points.py` says how much.
"""

from .folding import seen

_GROUPS = {
    "prize": """
        won winner winners winning win prize prizes award awarded awards jackpot lottery lotto raffle sweepstakes
        congratulations congrats lucky claim claims claimed redeem unclaimed draw entitled tombola
        premio premios ganaste ganador ganadora ganadores ganado sorteo loteria felicidades felicitaciones rifa
        ganhou ganhador vencedor sorteio sorteado parabens resgate resgatar
        hadiah pemenang menang undian memenangkan
        выиграли выиграл выигрыш приз призы победитель победителем розыгрыш лотерея поздравляем джекпот
        """,
    "gain": """
        cash bonus bonuses voucher vouchers reward rewards rewarded earn earning earnings income profit profits invest
        investment investments guaranteed guarantee loan loans payout millionaire rich wealthy
        dinero efectivo bono ingresos ganancia ganancias ganar inversion inversiones prestamo prestamos rentabilidad
        dinheiro renda lucro lucros investimento emprestimo emprestimos
        uang tunai cuan penghasilan keuntungan pinjaman investasi cair modal
        заработок заработка заработать зарабатывай зарабатывать доход дохода доходом доходность прибыль прибыли деньги
        инвестиции инвестиций вложений кредит бонус выплаты
        """,
    "free": """
        free freemsg freephone freefone complimentary giveaway unlimited freebie
        gratis gratuito gratuita regalo obsequio brinde percuma
        бесплатно бесплатный бесплатные подарок даром
        """,
    "offer": """
        offer offers deal deals discount discounts promo promotion sale auction bargain cheap cheapest save price
        special selected exclusive limited sponsored shopping holiday holidays collection
        oferta ofertas descuento descuentos promocion rebaja exclusivo exclusiva
        promocao desconto descontos imperdivel penawaran diskon promosi murah terbatas
        акция скидка скидки предложение эксклюзив
        """,
    "act": """
        txt text texting reply send call ring dial click tap join subscribe visit apply activate collect enter order
        register signup contact download play
        envia enviar responde llama llame llamar haz clic pulsa unete registrate inscribete visita participa
        ligue clique envie responda acesse cadastre participe inscreva
        hubungi klik balas kirim daftar ketik kunjungi gabung
        пиши пишите писать переходи переходите жми жмите звони звоните подпишись подписывайся регистрируйся лс личку
        """,
    "hurry": """
        urgent urgently now today tonight hurry expires expire expiry final last immediately instantly asap awaiting
        waiting await deadline weekly midnight attempt attempts
        urgente ahora hoy ultima ultimo ya inmediatamente caduca agora hoje imediatamente
        sekarang hari buruan terakhir segera
        срочно сейчас сегодня успей успейте торопись последний
        """,
    "opt out": """
        unsubscribe unsub optout stop cancel remove tcs tsandcs tandcs terms conditions subscription subscribed
        subscriber subs sub opt pobox
        cancelar baja bases condiciones descadastrar sair berhenti
        отписаться отписка
        """,
    "rate": """
        ppm pppm pm permsg permin ppermin ppmsg pmin pmsg pweek pwk rate rates landline landlines charged costs cost
        stdtxt std premium mins
        """,
    "adult": """
        sexy sex xxx porn porno horny nude nudes naked naughty adult adults singles dating date flirt flirting babes
        babe hot hottest girls lonely erotic escort escorts fantasy fancies fancy admirer intimate gay explicit dirty
        sexo desnuda desnudas solteras solteros caliente calientes citas encontros nua safada
        bokep bugil telanjang janda
        секс порно интим девушки знакомства эскорт голая
        """,
    "ringtones": """
        ringtone ringtones tone tones polyphonic poly polys logo logos wallpaper wallpapers camcorder
        pics celeb mobs mob quiz voicemail tariff videochat horoscope psychic
        """,
    "phones": """
        mobile mobiles handset camera nokia ipod mp3 bluetooth sms network networks game games video videos music
        chat iphone gadget credit credits rental anytime upgrade phone phones caller cds dvd
        """,
    "coins": """
        bitcoin btc crypto cryptocurrency usdt ethereum eth forex binary trading trader airdrop token nft binance
        criptomonedas cripto criptomoedas kripto saham
        крипта криптовалюта криптовалюты криптовалют биткоин биржа биржи бирже трейдинг арбитраж трейдер
        """,
    "betting": """
        casino casinos slots slot bet bets betting poker roulette gambling bookmaker freespins
        apuestas apuesta ruleta tragamonedas apostas apostar roleta
        judi gacor togel maxwin taruhan bandar
        казино ставки ставка слоты букмекер букмекерская рулетка
        """,
    "pills": """
        viagra cialis pharmacy pills pill weightloss slimming diet cure enlargement steroids xanax valium tramadol
        adelgazar pastillas emagrecer pilulas pelangsing
        похудеть виагра таблетки
        """,
    "job": """
        salary daily remote hiring vacancy recruit recruiting passive telegram partner partners
        teletrabajo vacante sueldo teletrabalho lowongan gaji
        удаленка удаленная удаленно удаленный удаленную вакансия вакансии команду набираю набор партнеров партнеры
        сотрудничество сотрудничества подработка подработку ежедневные неделю пассивный пассивного направление
        направлении обучение обучаем
        """,
}  # fmt: skip

#: The word as its reader sees it → what it is about.
ABOUT: dict[str, str] = {}
for _group, _words in _GROUPS.items():
    for _word in _words.split():
        ABOUT.setdefault(seen(_word), _group)

#: Whoever says "I" and "my" has business of their own; those who sell to everybody say "you".
OWN = frozenset(
    seen(word)
    for word in """
        i im ive id my mine we our us yo mi mis nosotros nuestro nuestra quiero necesito tengo puedo compre
        eu meu minha preciso quero tenho comprei saya aku kami я мой моя моей мою нас нам мы
        """.split()
)
