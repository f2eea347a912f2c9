"""Messages of our own: what customers write, and what nobody asked for."""

WANTED = [
    "Please call me on 07700 900123 about my refund of £50, it is urgent!",
    "Is delivery free if I order two?",
    "I was charged $49.99 twice this month. Can you cancel one and send the money back?",
    "My order 4711-2233 was due on Monday. Please send the invoice to accounts@example.com, thanks!",
    "I tried to register at www.shop.example.com today and the offer says expired!",
    "Hi, where do I enter the voucher code? The page https://shop.example.com/checkout shows an error.",
    "How do I unsubscribe from your newsletter? Please stop sending it to me.",
    "THE APP DOES NOT WORK AND NOBODY ANSWERS THE PHONE!!!",
    "Could you call the hotel? Their number is +49 30 1234567 and the booking is for tonight.",
    "I won a prize in your draw last week, how can I claim it?",
    "Account number 0012345678901, sort code 12-34-56. Please confirm.",
    "Do you have the camera in black? And what does the phone cost without a contract?",
    "ok", "👍", "2", "4711",
    "Hola, quiero saber si tienen descuento. Mi WhatsApp es +54 9 11 4444 5555. Necesito el pedido urgente.",
    "Me cobraron dos veces la factura de 120 euros, necesito el reembolso hoy por favor",
    "Buenos días, ¿el envío es gratis para compras de más de $50? Gracias!",
    "No puedo entrar a mi cuenta, llamen al 11 4444 5555 por favor",
    "Olá, meu pedido ainda não chegou. Podem ligar para o meu número 11 91234-5678? Obrigado!",
    "Quero cancelar a compra de R$ 200 e receber o dinheiro de volta",
    "Selamat siang, pesanan saya belum sampai. Tolong hubungi saya di 0812 3456 7890 ya",
    "Saya sudah bayar Rp 250.000 tapi tagihan masih muncul, mohon dicek segera",
    "Здравствуйте, мой заказ не пришёл. Позвоните мне по номеру +7 916 123-45-67, пожалуйста!",
    "Хочу вернуть деньги за заказ 1500 руб, сегодня последний день",
]  # fmt: skip

UNWANTED = [
    "CONGRATULATIONS! Your number has WON a £1000 cash prize. Call 09061234567 now to claim. T&Cs apply, 150p/min",
    "FREE entry to our weekly draw! Txt WIN to 80123 now. 18+ only, reply STOP to end",
    "You have been selected for a $5000 gift voucher. Claim now at http://prizes.example.top/claim",
    "Hot singles near you want to chat tonight! Text DATE to 69123, 150p per msg",
    "Earn $500 daily with bitcoin trading, guaranteed profit! Join t.me/richtoday now",
    "Best online casino: 100 free spins bonus, bet now at www.slots.example.bet!",
    "Cheap viagra and cialis, discount pills without prescription, order at http://pills.example.com",
    "FELICIDADES! Ganaste un premio de 1000 euros. Llama ahora al 806 123 4567 y reclama tu bono gratis",
    "Préstamos rápidos sin requisitos! Dinero en efectivo hoy, envia SI al 55123 o visita www.dinero.example.xyz",
    "Parabéns! Você ganhou um prêmio de R$ 5000. Clique agora em http://premio.example.club e resgate seu bônus grátis",
    "SELAMAT! Anda pemenang undian hadiah Rp 100.000.000. Hubungi sekarang 0812 3456 7890 gratis",
    "Situs judi slot gacor maxwin hari ini! Daftar dan klaim bonus di www.gacor.example.vip",
    "Заработок в интернете от 500$ в день! Удаленно, бесплатное обучение. Пишите в лс @easymoney_now",
    "Криптовалюта и арбитраж: доход от 100 usdt ежедневно, набираю команду партнеров, пишите @trade_partner",
]  # fmt: skip

#: The same words, written so that a list of words would not find them.
DISGUISED = [
    "casino", "CASINO", "Cásino", "cаsinо", "ｃａｓｉｎｏ", "ca\u200bsi\u00adno", "c4sin0", "c@sino",
    "c a s i n o", "c.a.s.i.n.o",
]  # fmt: skip
