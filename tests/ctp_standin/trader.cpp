// The vendor's trading library, played by the exchange in exchange.cpp.
#include "trader_defaults.hpp"

using namespace standin;

namespace {

char code(Side side) { return side == Side::Buy ? THOST_FTDC_D_Buy : THOST_FTDC_D_Sell; }

char code(Offset offset) {
    switch (offset) {
        case Offset::Open: return THOST_FTDC_OF_Open;
        case Offset::Close: return THOST_FTDC_OF_Close;
        case Offset::CloseToday: return THOST_FTDC_OF_CloseToday;
        default: return THOST_FTDC_OF_CloseYesterday;
    }
}

bool read_offset(char flag, Offset& offset) {
    switch (flag) {
        case THOST_FTDC_OF_Open: offset = Offset::Open; return true;
        case THOST_FTDC_OF_Close: offset = Offset::Close; return true;
        case THOST_FTDC_OF_CloseToday: offset = Offset::CloseToday; return true;
        case THOST_FTDC_OF_CloseYesterday: offset = Offset::CloseYesterday; return true;
        default: return false;
    }
}

char code(OrderState state) {
    switch (state) {
        case OrderState::Received: return THOST_FTDC_OST_Unknown;
        case OrderState::Queueing: return THOST_FTDC_OST_NoTradeQueueing;
        case OrderState::Partial: return THOST_FTDC_OST_PartTradedQueueing;
        case OrderState::Filled: return THOST_FTDC_OST_AllTraded;
        default: return THOST_FTDC_OST_Canceled;
    }
}

char submit_code(OrderState state) {
    if (state == OrderState::Received) return THOST_FTDC_OSS_InsertSubmitted;
    return state == OrderState::Rejected ? THOST_FTDC_OSS_InsertRejected : THOST_FTDC_OSS_Accepted;
}

class TradingFront final : public TraderDefaults, private TraderClient {
public:
    void Release() override {
        exchange().detach(this);
        delete this;
    }
    void Init() override { exchange().attach(static_cast<TraderClient*>(this)); }
    int Join() override { return 0; }
    const char* GetTradingDay() override {
        trading_day_ = exchange().trading_day();
        return trading_day_.c_str();
    }
    void GetFrontInfo(CThostFtdcFrontInfoField* field) override { *field = {}; }
    void RegisterFront(char*) override {}
    void RegisterNameServer(char*) override {}
    void RegisterFensUserInfo(CThostFtdcFensUserInfoField*) override {}
    void RegisterSpi(CThostFtdcTraderSpi* spi) override {
        if (!spi) exchange().detach(this);
        spi_ = spi;
    }
    void SubscribePrivateTopic(THOST_TE_RESUME_TYPE type) override { restart_ = type == THOST_TERT_RESTART; }
    void SubscribePublicTopic(THOST_TE_RESUME_TYPE) override {}

    int ReqAuthenticate(CThostFtdcReqAuthenticateField* request, int id) override {
        if (!exchange().reachable()) return kNoConnection;
        CThostFtdcRspAuthenticateField answer{};
        put(answer.BrokerID, request->BrokerID);
        put(answer.UserID, request->UserID);
        put(answer.AppID, request->AppID);
        auto result = info(exchange().authenticate(request->BrokerID, request->UserID, request->AuthCode));
        spi_->OnRspAuthenticate(&answer, &result, id, true);
        return kSent;
    }

    int ReqUserLogin(CThostFtdcReqUserLoginField* request, int id) override {
        if (!exchange().reachable()) return kNoConnection;
        const Failure failure =
            exchange().login(request->BrokerID, request->UserID, request->Password, session_);
        CThostFtdcRspUserLoginField answer{};
        put(answer.TradingDay, exchange().trading_day());
        put(answer.BrokerID, request->BrokerID);
        put(answer.UserID, request->UserID);
        put(answer.SystemName, "stand-in");
        answer.FrontID = session_.front;
        answer.SessionID = session_.id;
        auto result = info(failure);
        spi_->OnRspUserLogin(&answer, &result, id, true);
        if (!failure) exchange().start_flow(restart_);
        return kSent;
    }

    int ReqSettlementInfoConfirm(CThostFtdcSettlementInfoConfirmField* request, int id) override {
        if (!exchange().reachable()) return kNoConnection;
        exchange().confirm_settlement();
        auto result = info({});
        spi_->OnRspSettlementInfoConfirm(request, &result, id, true);
        return kSent;
    }

    int ReqQryInstrument(CThostFtdcQryInstrumentField*, int id) override {
        if (const int refused = refusal()) return refused;
        const auto contracts = exchange().contracts();
        auto result = info({});
        for (std::size_t i = 0; i < contracts.size(); ++i) {
            const Contract& contract = contracts[i];
            CThostFtdcInstrumentField field{};
            put(field.InstrumentID, contract.symbol);
            put(field.ExchangeID, contract.exchange);
            put(field.InstrumentName, contract.name);
            put(field.ProductID, contract.product);
            field.ProductClass = THOST_FTDC_PC_Futures;
            field.VolumeMultiple = contract.multiplier;
            field.PriceTick = contract.tick;
            field.MinLimitOrderVolume = 1;
            field.MaxLimitOrderVolume = 20;
            field.IsTrading = 1;
            spi_->OnRspQryInstrument(&field, &result, id, i + 1 == contracts.size());
        }
        return kSent;
    }

    int ReqQryTradingAccount(CThostFtdcQryTradingAccountField*, int id) override {
        if (const int refused = refusal()) return refused;
        const Money money = exchange().money();
        CThostFtdcTradingAccountField field{};
        put(field.AccountID, "demo");
        field.Balance = money.balance;
        field.Available = money.available;
        field.CurrMargin = money.margin;
        field.FrozenMargin = money.balance - money.margin - money.available;
        field.CloseProfit = money.close_profit;
        field.Commission = money.fees;
        field.PositionProfit = money.position_profit;
        auto result = info({});
        spi_->OnRspQryTradingAccount(&field, &result, id, true);
        return kSent;
    }

    int ReqQryInvestorPosition(CThostFtdcQryInvestorPositionField*, int id) override {
        if (const int refused = refusal()) return refused;
        const auto rows = position_rows();
        auto result = info({});
        if (rows.empty()) spi_->OnRspQryInvestorPosition(nullptr, &result, id, true);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto row = rows[i];
            spi_->OnRspQryInvestorPosition(&row, &result, id, i + 1 == rows.size());
        }
        return kSent;
    }

    int ReqOrderInsert(CThostFtdcInputOrderField* request, int id) override {
        if (!exchange().reachable()) return kNoConnection;
        Order order{};
        order.front = session_.front;
        order.session = session_.id;
        order.ref = request->OrderRef;
        order.symbol = request->InstrumentID;
        order.exchange = request->ExchangeID;
        order.side = request->Direction == THOST_FTDC_D_Buy ? Side::Buy : Side::Sell;
        order.price = request->LimitPrice;
        order.volume = request->VolumeTotalOriginal;
        const bool plain = request->OrderPriceType == THOST_FTDC_OPT_LimitPrice &&
                           request->TimeCondition == THOST_FTDC_TC_GFD;
        const bool readable = read_offset(request->CombOffsetFlag[0], order.offset);
        const Failure failure = plain && readable ? exchange().insert(order) : Failure{15, "CTP:报单字段有误"};
        if (failure)
            exchange().answer_later([this, failure, id, refused = *request]() mutable {
                auto result = info(failure);
                spi_->OnRspOrderInsert(&refused, &result, id, true);
            });
        return kSent;
    }

    int ReqOrderAction(CThostFtdcInputOrderActionField* request, int id) override {
        if (!exchange().reachable()) return kNoConnection;
        const Failure failure = exchange().cancel(request->FrontID, request->SessionID, request->OrderRef);
        if (failure) {
            auto result = info(failure);
            spi_->OnRspOrderAction(request, &result, id, true);
        }
        return kSent;
    }

private:
    static Exchange& exchange() { return Exchange::instance(); }

    static int refusal() {
        if (!exchange().reachable()) return kNoConnection;
        return exchange().throttled() ? kTooManyQueries : kSent;
    }

    void front_connected() override { spi_->OnFrontConnected(); }
    void front_disconnected(int reason) override { spi_->OnFrontDisconnected(reason); }

    void on_order(const Order& order) override {
        CThostFtdcOrderField field{};
        put(field.InstrumentID, order.symbol);
        put(field.ExchangeID, order.exchange);
        put(field.OrderRef, order.ref);
        put(field.OrderSysID, order.system_id);
        field.FrontID = order.front;
        field.SessionID = order.session;
        field.OrderPriceType = THOST_FTDC_OPT_LimitPrice;
        field.TimeCondition = THOST_FTDC_TC_GFD;
        field.VolumeCondition = THOST_FTDC_VC_AV;
        field.Direction = code(order.side);
        field.CombOffsetFlag[0] = code(order.offset);
        field.CombHedgeFlag[0] = THOST_FTDC_HF_Speculation;
        field.LimitPrice = order.price;
        field.VolumeTotalOriginal = order.volume;
        field.VolumeTraded = order.traded;
        field.VolumeTotal = order.remaining();
        field.OrderStatus = code(order.state);
        field.OrderSubmitStatus = submit_code(order.state);
        put(field.InsertDate, order.date);
        put(field.InsertTime, order.time);
        put(field.StatusMsg, order.message);
        spi_->OnRtnOrder(&field);
    }

    void on_fill(const Fill& fill) override {
        CThostFtdcTradeField field{};
        put(field.InstrumentID, fill.symbol);
        put(field.ExchangeID, fill.exchange);
        put(field.OrderRef, fill.ref);
        put(field.OrderSysID, fill.order_system_id);
        put(field.TradeID, fill.trade_id);
        field.Direction = code(fill.side);
        field.OffsetFlag = code(fill.offset);
        field.HedgeFlag = THOST_FTDC_HF_Speculation;
        field.Price = fill.price;
        field.Volume = fill.volume;
        put(field.TradeDate, fill.date);
        put(field.TradeTime, fill.time);
        spi_->OnRtnTrade(&field);
    }

    // SHFE reports what is of today and what is of yesterday in rows of their own, the others in one.
    static std::vector<CThostFtdcInvestorPositionField> position_rows() {
        std::vector<CThostFtdcInvestorPositionField> rows;
        for (const HoldingView& view : exchange().holdings()) {
            const Holding& held = view.holding;
            if (!view.contract.today_apart) {
                rows.push_back(row(view, held.volume(), held.today, THOST_FTDC_PSD_Today,
                                   view.frozen_today + view.frozen_yesterday));
                continue;
            }
            if (held.yesterday || !held.today)
                rows.push_back(row(view, held.yesterday, 0, THOST_FTDC_PSD_History, view.frozen_yesterday));
            if (held.today)
                rows.push_back(row(view, held.today, held.today, THOST_FTDC_PSD_Today, view.frozen_today));
        }
        return rows;
    }

    static CThostFtdcInvestorPositionField row(const HoldingView& view, int volume, int today, char date,
                                               int frozen) {
        const bool is_long = view.side == Side::Buy;
        CThostFtdcInvestorPositionField field{};
        put(field.InstrumentID, view.contract.symbol);
        put(field.ExchangeID, view.contract.exchange);
        field.PosiDirection = is_long ? THOST_FTDC_PD_Long : THOST_FTDC_PD_Short;
        field.HedgeFlag = THOST_FTDC_HF_Speculation;
        field.PositionDate = date;
        field.Position = volume;
        field.TodayPosition = today;
        field.YdPosition = volume - today;
        (is_long ? field.ShortFrozen : field.LongFrozen) = frozen;
        if (volume) field.PositionCost = view.holding.cost * volume / view.holding.volume();
        if (view.last > 0) {
            const double worth = view.last * volume * view.contract.multiplier;
            field.PositionProfit = is_long ? worth - field.PositionCost : field.PositionCost - worth;
        }
        return field;
    }

    CThostFtdcTraderSpi* spi_ = nullptr;
    Session session_{};
    bool restart_ = false;
    std::string trading_day_;
};

}  // namespace

CThostFtdcTraderApi* CThostFtdcTraderApi::CreateFtdcTraderApi(const char*, bool) { return new TradingFront(); }

const char* CThostFtdcTraderApi::GetApiVersion() { return "stand-in"; }
